"""``loadjob``: the results of an earlier run (Search Reference: loadjob)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.core.errors import EscudoError
from escudo.spl.args import Args
from escudo.spl.ast import Command
from escudo.spl.unparse import option, word

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation


@dataclass(frozen=True)
class Loadjob(Command):
    """``loadjob sid`` or ``loadjob savedsearch="user:app:name"`` with options."""

    name: ClassVar[str] = "loadjob"
    generating: ClassVar[bool] = True

    sid: str | None = None
    savedsearch: str | None = None
    events: bool = False
    job_delegate: str | None = None
    artifact_offset: int = 0
    ignore_running: bool = True

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.options(*OPTIONS)
        savedsearch = options.text("savedsearch", None)
        sid = None
        if savedsearch is None:
            sid = args.name('a search id or savedsearch="user:app:name"')
            args.options(*OPTIONS, into=options)
        return cls(
            sid,
            savedsearch,
            options.boolean("events", False),
            options.text("job_delegate", None),
            options.integer("artifact_offset", 0, least=0),
            options.boolean("ignore_running", True),
            span=args.span(),
        )

    def format(self) -> str:
        return (
            "loadjob"
            + (f" {word(self.sid)}" if self.sid is not None else "")
            + option("savedsearch", self.savedsearch)
            + option("events", self.events, False)
            + option("job_delegate", self.job_delegate)
            + option("artifact_offset", self.artifact_offset, 0)
            + option("ignore_running", self.ignore_running, True)
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        raise EscudoError(
            "SPL301",
            "the results of earlier jobs are not kept",
            span=self.span,
            hint="use | savedsearch to run the search again",
        )


OPTIONS = ("savedsearch", "events", "job_delegate", "artifact_offset", "ignore_running")
