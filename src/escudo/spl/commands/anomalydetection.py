"""``anomalydetection``: rows that are improbable (Search Reference: anomalydetection)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from escudo.spl.batch.anomalies import anomalies
from escudo.spl.batch.outliers import Outliers, without_outliers
from escudo.spl.binding.binder import Binder, rows
from escudo.spl.binding.command_forms import FieldsCommand
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.options import (
    OptionType,
    boolean_option,
    choice_option,
    choice_type,
    number_option,
    typed_option,
)

_FOR_ROWS = ("filter", "annotate", "summary")
_FOR_VALUES = {"remove": "remove", "rm": "remove", "transform": "transform", "tf": "transform"}
_ACTIONS: Mapping[str, OptionType[str]] = {
    "histogram": choice_type(_FOR_ROWS),
    "zscore": choice_type(_FOR_ROWS),
    "iqr": choice_type((), _FOR_VALUES),
}
"""Method -> what it can do with an anomaly."""


@dataclass(frozen=True)
class AnomalyDetection(FieldsCommand):
    """``anomalydetection [options] [fields]``.

    Methods ``histogram`` and ``zscore`` find rows whose values are improbable together, with the
    fields ``log_event_prob`` and ``probable_cause``; ``iqr`` finds values far outside the middle,
    as ``outlier`` does. Without fields all but internal ones are looked at.
    """

    name: ClassVar[str] = "anomalydetection"

    method: str = choice_option(_ACTIONS, "histogram", "How anomalies are found.")
    action: str | None = typed_option(
        choice_type(_FOR_ROWS, _FOR_VALUES),
        None,
        "What is done with them. Histogram and zscore: `filter` (the default) keeps the anomalous "
        "rows, `annotate` keeps all, `summary` gives one row about the run. iqr: `transform` (the "
        "default) cuts a value to the nearest bound, `remove` takes it away.",
    )
    pthresh: float | None = number_option(
        None, "The probability below which a row is anomalous; taken from the rows by default."
    )
    cutoff: bool = boolean_option(
        True, "Whether a row must have a probability below 0.01 to be anomalous (histogram)."
    )
    mark: bool = boolean_option(False, "Whether a value that is cut gets 000 before it (iqr).")
    param: float = number_option(2.5, "Interquartile ranges from the middle to a bound (iqr).")
    uselower: bool = boolean_option(False, "Whether there is a lower bound, too (iqr).")

    @classmethod
    def parse(cls, args: Args) -> Self:
        fields, options = args.read_names_and_options(cls)
        command = cls(fields=fields, **options.values(cls), span=args.span())
        if "action" not in options:
            return command
        return replace(command, action=options.parse_as("action", _ACTIONS[command.method]))

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = binder.closed(rows(source, self))
        if self.method == "iqr":
            outliers = Outliers(
                remove=self.action == "remove",
                mark=self.mark,
                param=self.param,
                lower=self.uselower,
            )
            return binder.batch(
                relation,
                "anomalydetection",
                lambda table: without_outliers(table, self.fields, outliers),
            )
        return binder.batch(
            relation,
            "anomalydetection",
            lambda table: anomalies(
                table,
                self.fields,
                method=self.method,
                action=self.action or "filter",
                threshold=self.pthresh,
                cutoff=self.cutoff,
            ),
        )
