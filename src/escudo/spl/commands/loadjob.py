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
from escudo.spl.syntax.options import boolean_option, format_options, integer_option, text_option
from escudo.spl.syntax.unparse import word


@dataclass(frozen=True)
class Loadjob(Command):
    """``loadjob sid [options]`` or ``loadjob savedsearch="user:app:name" [options]``.

    Differs from Splunk: the results are those that ``escudo search --save-job`` kept, under the
    name given or the part of it after the last colon.

    Refused: ``events=true`` and ``artifact_offset``, since only the last results are kept.
    """

    name: ClassVar[str] = "loadjob"
    generating: ClassVar[bool] = True
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED)

    sid: str | None = None
    savedsearch: str | None = text_option(None, "The saved search, as user:app:name.")
    events: bool = boolean_option(False, "Whether the events are loaded; true is refused.")
    job_delegate: str | None = text_option(None, "Whose jobs are looked through; no effect here.")
    artifact_offset: int = integer_option(
        0, "Which run before the last one is loaded; only 0, the last, is taken.", least=0
    )
    ignore_running: bool = boolean_option(
        True, "Whether jobs that still run are left out; no effect here."
    )

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.read_options(cls)
        sid = None
        if "savedsearch" not in options:
            sid = args.name('a search id or savedsearch="user:app:name"')
            args.read_options(cls, into=options)
        return cls(sid=sid, **options.values(cls), span=args.span())

    def format(self) -> str:
        sid = f" {word(self.sid)}" if self.sid is not None else ""
        return f"loadjob{sid}{format_options(self)}"

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
        results = binder.knowledge.job(name)
        if results is None and binder.runner is None:
            binder.deferred.append(f"the results of job {name}")
            return binder.anything(())
        if results is None:
            raise EscudoError(
                "SPL321",
                f"no results are kept under the name '{name}'",
                span=self.span,
                hint=f"keep them: escudo search ... --save-job {name}",
            )
        return binder.table(results, {"_time": FieldType.TIME})
