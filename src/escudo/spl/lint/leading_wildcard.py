"""Leading wildcards on fields whose values are long."""

from __future__ import annotations

from collections.abc import Iterator

from escudo.core.errors import Diagnostic, Severity
from escudo.spl.commands.search import Search
from escudo.spl.commands.tstats import Tstats
from escudo.spl.lint.checked import Checked, Rule
from escudo.spl.syntax.ast import Compare, InList, Term, Value

HUGE = frozenset(
    {"_raw", "CommandLine", "Message", "ParentCommandLine", "Payload", "ScriptBlockText", "body"}
    | {"form_data", "http_user_agent", "message", "parent_process", "process", "query"}
    | {"registry_value_data", "script_block_text", "url", "url_query"}
)
"""Fields with long values, nearly all of them distinct."""


def _findings(checked: Checked) -> Iterator[Diagnostic]:
    for step in checked.steps():
        if not isinstance(step.command, Search | Tstats) or step.before is not None:
            continue
        for node in step.command.walk(into_subsearches=False):
            match node:
                case Term(value) if value.text.startswith("*") and value.text.strip("*"):
                    yield _finding(checked, "_raw", value)
                case Compare(name, "=", value) if name.rsplit(".", 1)[-1] in HUGE:
                    if _leads(value):
                        yield _finding(checked, name, value)
                case InList(name, values) if name.rsplit(".", 1)[-1] in HUGE:
                    yield from (_finding(checked, name, v) for v in values if _leads(v))


def _leads(value: Value) -> bool:
    return value.text.startswith("*") and value.text.strip("*") != ""


def _finding(checked: Checked, name: str, value: Value) -> Diagnostic:
    return checked.finding(
        "SPL506",
        f"'{value.text}' begins with a wildcard, so every value of '{name}' is read in full",
        value.span,
        "add a condition on a short field (a process name, an event code) beside it",
        Severity.INFO,
    )


RULE = Rule(
    "SPL506",
    _findings,
    """A pattern that begins with `*` can use no statistics: each value of a long field is searched
for it. With a cheap condition beside it, few values are.

    slow:   | tstats count from datamodel=Endpoint.Processes where Processes.process="*-enc*"
    better: | tstats count from datamodel=Endpoint.Processes
              where Processes.process_name=powershell.exe Processes.process="*-enc*"
""",
)
