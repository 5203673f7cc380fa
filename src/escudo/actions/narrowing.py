"""Which detections of the content are meant: by type, status, technique, severity, name;
``plan_hunt`` calls it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from escudo.content import Content, Detection
from escudo.findings.notable import SEVERITIES, rate_severity

DEPRECATED = "deprecated"


@dataclass(frozen=True, kw_only=True, slots=True)
class Narrowing:
    """What a detection must be; what is empty asks for nothing.

    ``techniques`` are ATT&CK ids; a technique means its sub-techniques, too. ``exclude`` are names
    or ids of detections. ``min_severity`` is one of ``findings.notable.SEVERITIES``.
    """

    types: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    techniques: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    min_severity: str | None = None

    @property
    def wants_deprecated(self) -> bool:
        """Whether deprecated detections are asked for."""
        return DEPRECATED in self.statuses

    def keep(self, detections: Iterable[Detection], content: Content) -> list[Detection]:
        """The detections that are meant, in their order.

        Raises:
            EscudoError: CON205 where a detection to exclude is not in the content.
        """
        left_out = {content.detection(name).id for name in self.exclude}
        return [d for d in detections if d.id not in left_out and self._means(d)]

    def _means(self, detection: Detection) -> bool:
        wanted = [t.strip().upper() for t in self.techniques]
        held = [t.upper() for t in detection.tags.mitre_attack_id]
        least = SEVERITIES.index(self.min_severity) if self.min_severity is not None else 0
        return (
            (not self.types or detection.type.lower() in map(str.lower, self.types))
            and (not self.statuses or detection.status in self.statuses)
            and (not wanted or any(h == w or h.startswith(f"{w}.") for h in held for w in wanted))
            and SEVERITIES.index(rate_severity(detection)) >= least
        )
