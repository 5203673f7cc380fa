"""The classes of SPL's commands and their conformance cases -> a page for each, and an index.

A page has the command's syntax and rules (its docstring), its options (``options``, rows of the
class), examples with input and result (its cases), what Splunk does otherwise and what is refused
(paragraphs of the docstring). Called by ``docs.build``.
"""

from __future__ import annotations

import inspect
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from docs.markdown import (
    GENERATED,
    cell,
    code,
    docstring,
    page,
    sentence,
    table,
)
from tests.conformance.cases import Case, all_cases, names_by_command, spl_value

from escudo.core.errors import ErrorCode
from escudo.spl.binding.binder import Command
from escudo.spl.commands import COMMANDS
from escudo.spl.commands.unsupported import UNSUPPORTED
from escudo.spl.syntax.options import options_of

FOLDER = "commands"
EXAMPLES = 3
"""As many examples has a page, unless more cases have ``doc: true``."""
_MOST_ROWS = 6
_MOST_COLUMNS = 6
_LONGEST_SEARCH = 110
_DIFFERS = "Differs from Splunk:"
_REFUSED = "Refused:"


def page_name(command: str) -> str:
    """Where a command's page is, from ``docs``; an alias has none.

    >>> page_name("dedup")
    'commands/dedup.md'
    """
    return f"{FOLDER}/{command}.md"


def index() -> str:
    """Every command with what it does, and what is to be used in place of others."""
    out = [
        "# SPL commands",
        "",
        GENERATED,
        "",
        "Each command has a page: its syntax, its options, examples, what is refused. An option",
        "that is not listed there is an error; none is ignored. A command is one file,",
        "`src/escudo/spl/commands/<name>.py`; the examples are some of its conformance cases.",
        "",
    ]
    rows = []
    for name, names in names_by_command().items():
        links = ", ".join([f"[{name}]({page_name(name)})", *(code(n) for n in names[1:])])
        rows.append([links, cell(_what(name)), code(_syntax(COMMANDS[name]))])
    out += table(["command", "what it does", "syntax"], rows)
    out += ["", "## Not supported", ""]
    out += table(["command", "instead"], ([n, cell(i)] for n, i in sorted(UNSUPPORTED.items())))
    return page(out)


def command_page(name: str, codes: Mapping[str, ErrorCode]) -> str:
    """The page of one command; ``codes`` say what the errors of its cases are."""
    cases = [c for c in all_cases() if c.file == f"{FOLDER}/{name}"]
    path = f"tests/conformance/{FOLDER}/{name}.yml"
    count = "1 conformance case" if len(cases) == 1 else f"{len(cases)} conformance cases"
    end = f"{count}: [{path}](../../{path}). All commands: [commands.md](../commands.md)."
    body = describe(COMMANDS[name], names_by_command()[name], cases, codes)
    return page([f"# {name}", "", GENERATED, "", sentence(_what(name)), "", body, "", end])


def describe(
    command: type[Command],
    names: Sequence[str],
    cases: Sequence[Case],
    codes: Mapping[str, ErrorCode],
) -> str:
    """The page's sections, from the class, all names that it has, and its cases."""
    rules, differs, refused = _parts(command)
    out = ["## Syntax", "", rules]
    if names[1:]:
        out += ["", f"Also: {', '.join(code(alias) for alias in names[1:])}."]
    if command.generating:
        out += ["", "Starts a search."]
    out += _section("Options", _option_table(command))
    out += _section("Examples", [line for case in examples(cases) for line in _example(case)])
    out += _section("Differs from Splunk", differs)
    errors = [c for c in cases if c.error is not None]
    out += _section("Refused", [*refused, *_refusals(errors, codes)])
    gaps = [f"- {cell(c.name)}: {c.spark}" for c in cases if c.spark]
    out += _section("Not on Spark", gaps)
    return page(out)


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return ["", f"## {title}", "", *lines] if lines else []


# --- what the class says ------------------------------------------------------------------------


def _what(name: str) -> str:
    """What the command does: its module's first line, between its name and the manual's.

    A module of several commands says it of all of them.
    """
    module = sys.modules[COMMANDS[name].__module__]
    line = docstring(module.__doc__ or "").split("\n")[0]
    text = line.split(": ", 1)[1] if line.startswith("`") and ": " in line else line
    return text.split(" (Search Reference")[0].split(" (Machine Learning")[0].rstrip(".")


def _syntax(command: type[Command]) -> str:
    """The first code of the docstring."""
    text = docstring(inspect.getdoc(command) or "")
    return " ".join(text.split("`")[1].split()) if "`" in text else ""


def _parts(command: type[Command]) -> tuple[str, list[str], list[str]]:
    """The docstring's rules, what Splunk does otherwise, what is refused."""
    parts: dict[str, list[str]] = defaultdict(list)
    for paragraph in docstring(inspect.getdoc(command) or "").split("\n\n"):
        mark = next((m for m in (_DIFFERS, _REFUSED) if paragraph.startswith(m)), "")
        text = paragraph.removeprefix(mark).strip()
        if parts[mark]:
            parts[mark].append("")
        parts[mark].append(sentence(text) if mark else text)
    return "\n".join(parts[""]), parts[_DIFFERS], parts[_REFUSED]


def _option_table(command: type[Command]) -> list[str]:
    rows = [
        [code(o.name), o.type.label, cell(_default(o.default)), cell(docstring(o.help))]
        for o in options_of(command)
    ]
    return table(["option", "takes", "default", "what it does"], rows) if rows else []


def _default(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return code(str(value).lower())
    return code(value if isinstance(value, str) and value.strip() else repr(value))


# --- what the cases say -------------------------------------------------------------------------


def examples(cases: Sequence[Case]) -> list[Case]:
    """The cases to show: those with ``doc: true``, else the first that are short enough."""
    chosen = [c for c in cases if c.doc]
    return chosen or list(islice(filter(_can_be_shown, cases), EXAMPLES))


def _can_be_shown(case: Case) -> bool:
    tables = [case.expect, case.rows, *_rows_of(case.lookups), *_rows_of(case.models)]
    return (
        case.spl is not None
        and case.error is None
        and bool(case.expect)
        and len(case.spl) <= _LONGEST_SEARCH
        and not case.macros
        and all(len(rows) <= _MOST_ROWS for rows in tables)
        and all(len(_names(rows)) <= _MOST_COLUMNS for rows in tables)
    )


def _rows_of(given: Mapping[str, Any]) -> list[Sequence[Mapping[str, Any]]]:
    """The rows of lookups or models, which may be maps with other settings beside them."""
    return [g if isinstance(g, list) else g.get("rows", ()) for g in given.values()]


def _example(case: Case) -> Iterator[str]:
    yield f"### {_heading(case.name)}"
    yield ""
    yield "```"
    yield f"{case.spl}"
    yield "```"
    for title, rows in _inputs(case):
        yield ""
        yield title
        yield ""
        yield from _rows_table(rows)
    for signature, definition in case.macros.items():
        yield ""
        yield f"Macro {code(signature)}: {code(definition)}"
    if tuple(case.within) != (None, None):
        yield ""
        yield f"The range of the search is {case.within[0]} to {case.within[1]}."
    yield ""
    if case.expect:
        yield "Result, in any order:" if case.any_order and len(case.expect) > 1 else "Result:"
        yield ""
        yield from _rows_table(case.expect)
    else:
        yield "There is no result."
    for name, rows in case.writes.items():
        yield ""
        yield f"Written to {code(name)}:"
        yield ""
        yield from _rows_table(rows)
    if case.deletes is not None:
        yield ""
        yield f"Events deleted: {case.deletes}."
    if case.warns:
        yield ""
        yield f"With the warning {', '.join(map(_error_link, case.warns))}."
    yield ""


def _heading(name: str) -> str:
    """A case's name with a capital, unless it begins with a word of SPL.

    >>> _heading("a running total"), _heading("max=0 takes all"), _heading("dedup keeps one")
    ('A running total', 'max=0 takes all', 'dedup keeps one')
    """
    first = name.split(" ")[0]
    return name if first in COMMANDS or not first.isalpha() else name[:1].upper() + name[1:]


def _error_link(code_of_error: str) -> str:
    return f"[{code_of_error}](../errors.md#{code_of_error.lower()})"


def _inputs(case: Case) -> Iterator[tuple[str, Sequence[Mapping[str, Any]]]]:
    if case.rows:
        yield "Events:", case.rows
    for kind, given in (("Lookup", case.lookups), ("Dataset", case.models)):
        for name, rows in zip(given, _rows_of(given), strict=True):
            yield f"{kind} {code(name)}:", rows


def _rows_table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    names = _names(rows)
    if not names:
        return [f"{len(rows)} without fields."]
    return table([code(n) for n in names], ([_value(row.get(n)) for n in names] for row in rows))


def _names(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _value(value: Any) -> str:
    """A field's value; several stand one after another, null is an empty cell."""
    text = spl_value(value)
    if isinstance(text, list):
        return ", ".join(_value(v) for v in text)
    return '""' if text == "" else code(text) if text is not None else ""


def _refusals(errors: Sequence[Case], codes: Mapping[str, ErrorCode]) -> list[str]:
    rows = []
    for case in errors:
        error = codes[f"{case.error}"]
        rows.append([code(f"{case.spl}"), _error_link(error.code), cell(error.title)])
    return ["", *table(["search", "error", "what it is"], rows)] if rows else []
