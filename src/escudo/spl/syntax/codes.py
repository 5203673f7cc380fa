"""The error codes of the SPL language."""

from __future__ import annotations

from collections.abc import Mapping

from escudo.core.errors import ErrorCode

_ROWS = (
    ErrorCode(
        "SPL100",
        "syntax error",
        "The caret shows the place; the message says what was expected there.",
    ),
    ErrorCode(
        "SPL101",
        "unknown command",
        "Check the spelling; a search that is only terms needs no leading pipe.",
    ),
    ErrorCode(
        "SPL102",
        "unclosed quote, bracket or parenthesis",
        'Close it, or escape a literal double quote as \\".',
    ),
    ErrorCode(
        "SPL103",
        "unknown option",
        "Options are spelled in lower case; the hint lists what the command takes.",
    ),
    ErrorCode("SPL104", "bad value of an option", "The message says which kind of value it takes."),
    ErrorCode("SPL105", "missing argument", "The message says which argument the command needs."),
    ErrorCode(
        "SPL110",
        "unknown macro",
        "Define the macro in the content's macros, or correct its name or number of arguments.",
    ),
    ErrorCode("SPL111", "macro calls itself", "Break the cycle of macros that the message shows."),
    ErrorCode(
        "SPL114",
        "macros expand to too much",
        "Macros that call others twice double at each level; write the search out.",
    ),
    ErrorCode(
        "SPL115",
        "nested too deeply",
        "Split the expression with eval, or write lists as IN (...).",
    ),
    ErrorCode("SPL112", "malformed macro call", "A call is `name` or `name(argument, ...)`."),
    ErrorCode(
        "SPL113",
        "eval-based macro cannot be computed",
        "Its definition may use literals, arguments and functions of constants only.",
    ),
    ErrorCode(
        "SPL120",
        "not a time",
        "Write a relative time (-7d@d), epoch seconds, now, or a date in the time format.",
    ),
    ErrorCode("SPL200", "unknown function", "The hint names the function that was probably meant."),
    ErrorCode(
        "SPL201",
        "argument that a function cannot take",
        "The message says what the function wants there.",
    ),
    ErrorCode(
        "SPL202",
        "wrong number of arguments",
        "The message says how many the function takes.",
    ),
    ErrorCode(
        "SPL203",
        "not a regular expression",
        "Patterns are PCRE; a backslash is written once in rex and match().",
    ),
    ErrorCode(
        "SPL300",
        "command not supported",
        "The command is understood, but it cannot be run.",
    ),
    ErrorCode(
        "SPL301",
        "form of a command not supported",
        "The message says what it would need that does not exist here.",
    ),
    ErrorCode(
        "SPL310",
        "unknown data model or dataset",
        "Name a model and dataset that the catalog has; the hint shows the closest one.",
    ),
    ErrorCode(
        "SPL311",
        "command at the wrong place",
        "Some commands start a search, others need rows from the command before them.",
    ),
    ErrorCode(
        "SPL323",
        "command without effect",
        "The rows are as without it; take it out of the search, or leave it.",
    ),
    ErrorCode(
        "SPL326",
        "the search asks for more than a limit allows",
        "Ask for less: the message names the limit.",
    ),
    ErrorCode(
        "SPL325",
        "no rows where the search requires some",
        "`require` ends a search without rows; take it out if none may be right.",
    ),
    ErrorCode("SPL312", "unknown saved search", "Define the saved search, or correct its name."),
    ErrorCode("SPL313", "unknown lookup", "Define the lookup, or correct its name."),
    ErrorCode("SPL314", "lookup cannot be read", "See that its file is there and is a CSV file."),
    ErrorCode("SPL315", "lookup without such a field", "The hint names the closest field."),
    ErrorCode(
        "SPL316",
        "regular expression without a named group",
        "Name what is to become a field: (?<name>...).",
    ),
    ErrorCode(
        "SPL317",
        "search that changes data cannot run here",
        "The command needs a place to write to, which this way of running does not give.",
    ),
    ErrorCode(
        "SPL318",
        "model of machine learning not available",
        "Fit it first, or use one of the algorithms that are listed.",
    ),
    ErrorCode(
        "SPL319",
        "stored model that cannot be read",
        "Its file is damaged, or no model of this program. Fit it again.",
    ),
    ErrorCode(
        "SPL320",
        "a limit cut off rows",
        "Raise the option that the message names; without one, let the subsearch give fewer.",
    ),
    ErrorCode(
        "SPL321",
        "no results of such a job",
        "Keep them with `escudo search ... --save-job NAME`, then load them by that name.",
    ),
    ErrorCode(
        "SPL322",
        "a row without a value that map needs",
        "Keep such rows away with `where isnotnull(field)`, or fill them with `fillnull`.",
    ),
    ErrorCode(
        "SPL324",
        "name that no index can have",
        "Take small letters, digits, _ and -, not beginning with -, and without kvstore.",
    ),
    ErrorCode(
        "SPL327",
        "machine learning is not installed",
        "Install the extra: `pip install 'escudo[ml]'`. `fit DensityFunction` does not need it.",
    ),
    ErrorCode(
        "SPL331",
        "a search that needs all events at once",
        "It cannot be run on events as they arrive: a count over an hour, say, is none of a batch. "
        "Run it by its schedule, or with `escudo hunt`.",
    ),
    ErrorCode(
        "SPL340",
        "lookup that its search has not written yet",
        "Run the baseline that the message names (`escudo baseline`, `hunt --baselines`) first.",
    ),
    ErrorCode(
        "SPL341",
        "lookup whose file is not all as it should be",
        "Correct the file at the line that the message names; the search goes on with the rest.",
    ),
    ErrorCode(
        "SPL342",
        "automatic lookup that cannot be used",
        "Correct the LOOKUP- setting of props.conf, or bring the lookup; the search goes on.",
    ),
    ErrorCode(
        "SPL343",
        "event type that is no plain search",
        "An event type is a search expression without pipes and subsearches.",
    ),
    ErrorCode(
        "SPL344",
        "lookup that is not there, taken as empty",
        "Define it, bring its file, or run what writes it; with strict=true it is an error.",
    ),
    ErrorCode(
        "SPL345",
        "match_type of a field that the lookup has not",
        "Correct the name in WILDCARD() or CIDR(); the field that is meant is compared exactly.",
    ),
    ErrorCode(
        "SPL501",
        "field that no schema has",
        "It is null there. Correct its name; the hint shows the closest one.",
    ),
    ErrorCode("SPL502", "field used before it exists", "Move the command that makes it before."),
    ErrorCode("SPL503", "field used after it is gone", "Keep it, or use it earlier."),
    ErrorCode("SPL504", "comparison that can never match", "Correct the value or the condition."),
    ErrorCode("SPL505", "wildcard where there are none", "Use like() or search."),
    ErrorCode("SPL506", "leading wildcard on a long field", "Add a condition on a short field."),
    ErrorCode("SPL507", "tstats BY without fillnull_value", "Add fillnull_value=null."),
    ErrorCode("SPL508", "join where stats or lookup would do", "Use stats by the key, or lookup."),
    ErrorCode("SPL509", "dotted name that concatenates", "Put the field in single quotes."),
    ErrorCode("SPL510", "operator in small letters", "Write AND, OR and NOT in capitals."),
    ErrorCode("SPL511", "command without its pipe", "Put a pipe in front of the command."),
    ErrorCode("SPL512", "star outside of the quotes", "Put the star inside the quotes."),
    ErrorCode("SPL513", "NOT between field and IN", "Write NOT field IN (...)."),
    ErrorCode("SPL514", "apostrophe that quotes nothing", "Use double quotes, or take it away."),
    ErrorCode("SPL515", "backslash lost in a regular expression", "Write four backslashes."),
    ErrorCode(
        "SPL516",
        "index, source or source type that nothing has",
        "Correct it, leave it out, or describe the source (`--sources`).",
    ),
)

CODES: Mapping[str, ErrorCode] = {row.code: row for row in _ROWS}
"""Code -> its row."""
