"""YAML -> a deployment: when detections of one type run, and what a hit brings about."""

from __future__ import annotations

from dataclasses import dataclass

from escudo.content.elements.common import Origin, Schedule
from escudo.content.reading import Section

TYPES = ("TTP", "Anomaly", "Hunting", "Correlation", "Baseline")


@dataclass(frozen=True)
class Notable:
    """The finding of a deployment; ``%name%`` and ``%description%`` stand for the detection's."""

    rule_title: str
    rule_description: str
    nes_fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class Deployment:
    """Schedule and outcome of one detection type."""

    name: str
    type: str
    schedule: Schedule
    risk: bool
    notable: Notable | None
    origin: Origin


def read_deployment(section: Section, origin: Origin) -> Deployment:
    name, kind = section.text("name"), section.choice("type", TYPES)
    schedule = read_schedule(section) or Schedule("", "", "")
    risk, notable = False, None
    actions = section.section("alert_action")
    if actions is not None:
        rba = actions.section("rba")
        if rba is not None:
            risk = rba.boolean("enabled", False)
            rba.finish()
        notable_section = actions.section("notable")
        if notable_section is not None:
            notable = Notable(
                notable_section.text("rule_title", "%name%"),
                notable_section.text("rule_description", "%description%"),
                notable_section.texts("nes_fields"),
            )
            notable_section.finish()
        actions.finish()
    section.ignore("id", "date", "author", "description", "version", "tags")
    section.ignore("creation_date", "modification_date")
    section.finish()
    return Deployment(name, kind, schedule, risk, notable, origin)


def read_schedule(section: Section) -> Schedule | None:
    """``scheduling``, at the top of a deployment or below ``deployment`` of another element.

    ESCU 6 has ``custom_schedule`` at the top of an element instead.
    """
    outer = section.section("deployment")
    scheduling = (outer or section).section("scheduling") or section.section("custom_schedule")
    if scheduling is None:
        return None
    schedule = Schedule(
        scheduling.text("cron_schedule"),
        scheduling.text("earliest_time"),
        scheduling.text("latest_time"),
        scheduling.text("schedule_window", "auto"),
    )
    scheduling.finish()
    return schedule
