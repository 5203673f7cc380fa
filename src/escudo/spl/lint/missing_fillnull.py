"""``tstats ... BY`` without ``fillnull_value``."""

from __future__ import annotations

from collections.abc import Iterator

from escudo.core.errors import Diagnostic
from escudo.spl.binding.dataset import PLAIN
from escudo.spl.commands.tstats import Tstats
from escudo.spl.lint.checked import Checked, Rule


def _findings(checked: Checked) -> Iterator[Diagnostic]:
    for step in checked.steps():
        command = step.command
        if not isinstance(command, Tstats) or command.fillnull_value is not None:
            continue
        nullable = [name for name in command.by if name not in PLAIN]
        if nullable and command.model is not None:
            shown = ", ".join(f"'{n}'" for n in nullable[:3])
            more = " or another field of BY" if len(nullable) > 3 else ""
            yield checked.finding(
                "SPL507",
                f"events without {shown}{more} are left out of the result",
                command.span,
                "add fillnull_value=null (`security_content_summariesonly` does)",
            )


RULE = Rule(
    "SPL507",
    _findings,
    """`tstats ... BY` drops the rows in which a BY field is null. A detection that groups by a
field that some sources do not fill is blind to those sources.

    bad:    | tstats count from datamodel=Endpoint.Processes by Processes.parent_process
    better: | tstats fillnull_value=null count from datamodel=Endpoint.Processes
              by Processes.parent_process
""",
)
