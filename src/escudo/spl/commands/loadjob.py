"""``loadjob``: the results of an earlier run (Search Reference: loadjob)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.core.errors import EscudoError
from escudo.core.schema import FieldType
from escudo.spl.binding.binder import Binder, Command
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.unparse import option, word


@dataclass(frozen=True)
class Loadjob(Command):
    """``loadjob sid`` or ``loadjob savedsearch="user:app:name"`` with options.

    The results are those that `escudo search --save-job` kept under the name, or its last part.
    """

    name: ClassVar[str] = "loadjob"
    generating: ClassVar[bool] = True
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED)

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
        name = (self.savedsearch or self.sid or "").rpartition(":")[2]
        if self.events or self.artifact_offset:
            what = "events=true" if self.events else "artifact_offset"
            raise EscudoError(
                "SPL301",
                f"{what}: the last results of a job are kept, no others",
                span=self.span,
                hint="leave it out",
            )
        found = binder.knowledge.job(name)
        if found is None and binder.runner is None:
            binder.deferred.append(f"the results of job {name}")
            return binder.anything(())
        if found is None:
            raise EscudoError(
                "SPL321",
                f"no results are kept under the name '{name}'",
                span=self.span,
                hint=f"keep them: escudo search ... --save-job {name}",
            )
        return binder.table(found, {"_time": FieldType.TIME})


OPTIONS = ("savedsearch", "events", "job_delegate", "artifact_offset", "ignore_running")
