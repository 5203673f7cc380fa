"""Content, what somebody has changed of detections in the browser -> content with these changes;
the server calls it. What is changed is kept by who calls, beside the content, which stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from escudo.actions.narrowing import DEPRECATED
from escudo.content import Content, Detection
from escudo.content.elements.common import Schedule
from escudo.schedule.timetable import read_timetable


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """What is changed of one detection; None leaves it as the content has it."""

    enabled: bool | None = None
    schedule: Schedule | None = None

    @property
    def empty(self) -> bool:
        return self.enabled is None and self.schedule is None


def apply_switches(content: Content, switches: Mapping[str, Switch]) -> Content:
    """The content, its detections as they are switched; switches are by the detections' ids, those
    of others count for nothing. Deprecated detections are off unless they are switched on.

    >>> from escudo import content
    >>> loaded = content.load()
    >>> wmi = loaded.detection("Process Execution via WMI")
    >>> off = apply_switches(loaded, {wmi.id: Switch(enabled=False)})
    >>> off.detection(wmi.name).enabled, loaded.detection(wmi.name).enabled
    (False, True)
    """
    return replace(
        content, detections=tuple(_apply(d, switches.get(d.id)) for d in content.detections)
    )


def _apply(detection: Detection, switch: Switch | None) -> Detection:
    switch = switch or Switch()
    enabled = detection.enabled and detection.status != DEPRECATED
    return replace(
        detection,
        enabled=enabled if switch.enabled is None else switch.enabled,
        schedule=switch.schedule or detection.schedule,
    )


def check_schedule(schedule: Schedule) -> None:
    """Raises EscudoError: SCH004 for a schedule that can never be due, or whose times are none."""
    read_timetable(schedule, identity="")
