"""``anomalydetection``: rows that are improbable (Search Reference: anomalydetection)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.batch.anomalies import anomalies
from escudo.spl.batch.outliers import Outliers, without_outliers
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.unparse import option, words


@dataclass(frozen=True)
class AnomalyDetection(Command):
    """``anomalydetection [method=] [action=] [pthresh=] [cutoff=] [fields]``.

    Method ``histogram`` or ``zscore`` has action ``filter``, ``annotate`` or ``summary``; method
    ``iqr`` has ``remove`` or ``transform``, and the options of ``outlier`` besides.
    """

    name: ClassVar[str] = "anomalydetection"

    fields: tuple[str, ...] = ()
    method: str = "histogram"
    action: str = "filter"
    pthresh: float | None = None
    cutoff: bool = True
    mark: bool = False
    param: float = 2.5
    uselower: bool = False

    @classmethod
    def parse(cls, args: Args) -> Self:
        fields, options = args.names_and_options(
            "method", "action", "pthresh", "cutoff", "mark", "param", "uselower"
        )
        method = options.choice("method", ("histogram", "zscore", "iqr"), "histogram")
        iqr = method == "iqr"
        actions = ("remove", "rm", "transform", "tf") if iqr else ("filter", "annotate", "summary")
        action = options.choice("action", actions, "transform" if iqr else "filter")
        return cls(
            fields,
            method,
            {"rm": "remove", "tf": "transform"}.get(action, action),
            options.number("pthresh", None),
            options.boolean("cutoff", True),
            options.boolean("mark", False),
            options.number("param", 2.5),
            options.boolean("uselower", False),
            span=args.span(),
        )

    def format(self) -> str:
        default = "transform" if self.method == "iqr" else "filter"
        return (
            "anomalydetection"
            + option("method", self.method, "histogram")
            + option("action", self.action, default)
            + option("pthresh", self.pthresh)
            + option("cutoff", self.cutoff, True)
            + option("mark", self.mark, False)
            + option("param", self.param, 2.5)
            + option("uselower", self.uselower, False)
            + (f" {words(self.fields, separator=' ')}" if self.fields else "")
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = binder.closed(rows(source, self))
        if self.method == "iqr":
            options = Outliers(self.action == "remove", self.mark, self.param, self.uselower)
            return binder.batch(
                relation,
                "anomalydetection",
                lambda table: without_outliers(table, self.fields, options),
            )
        return binder.batch(
            relation,
            "anomalydetection",
            lambda table: anomalies(
                table, self.fields, self.method, self.action, self.pthresh, self.cutoff
            ),
        )
