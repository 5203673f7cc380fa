"""A title, an author -> the files of a content repository that validates, tests and builds;
``actions.init_repository`` calls it."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Any

from escudo.authoring.apps.identity import AppIdentity, check_identity, is_appid
from escudo.authoring.scaffold.detection_files import build_detection
from escudo.authoring.scaffold.element_files import (
    BASELINE_SCHEDULE,
    build_data_source,
    build_lookup,
    build_macro,
    build_story,
    make_scheduling,
)
from escudo.authoring.scaffold.new_file import Identity, NewFile, make_yaml_file
from escudo.content.checks.words import DETECTION_CATEGORIES
from escudo.content.elements.naming import measure_room, name_file, name_filter
from escudo.core.errors import EscudoError

CI_SYSTEMS = ("github", "gitlab")
FIRST_VERSION = "0.1.0"

_EMPTY = (
    *(f"detections/{folder}" for folder in DETECTION_CATEGORIES if folder != "endpoint"),
    *("baselines", "dashboards", "investigations", "playbooks", "removed"),
)
"""Folders without a file yet; contentctl wants each kind of content to have its own. ``lookups``
must be there as well, and hold no file but tables, so the example has one."""

_CI_FILES: Mapping[str, tuple[str, str]] = {
    "github": ("github.yml", ".github/workflows/detections.yml"),
    "gitlab": ("gitlab.yml", ".gitlab-ci.yml"),
}
_DETECTION = "Shadow Copies Deleted"
_STORY = "Recovery Prevention"
_LOOKUP = "known_shadow_copy_commands"
_SOURCE = "Sysmon EventID 1"
_SYSMON = "XmlWinEventLog:Microsoft-Windows-Sysmon/Operational"
_SEARCH = """\
| tstats `security_content_summariesonly` count min(_time) as firstTime max(_time) as lastTime
  from datamodel=Endpoint.Processes
  where (Processes.process_name=vssadmin.exe Processes.process="*delete*shadows*")
    OR (Processes.process_name=wmic.exe Processes.process="*shadowcopy*delete*")
  by Processes.dest Processes.user Processes.parent_process_name Processes.process_name
     Processes.process Processes.process_id
| `drop_dm_object_name(Processes)`
| `security_content_ctime(firstTime)`
| `security_content_ctime(lastTime)`"""
_FIELDS = (
    *("dest", "user", "parent_process_name", "process_name", "process", "process_id"),
    *("count", "firstTime", "lastTime"),
)
"""Those that the search gives."""

_DEPLOYMENTS: Mapping[str, tuple[bool, bool]] = {
    "TTP": (True, True),
    "Anomaly": (True, False),
    "Hunting": (False, False),
    "Correlation": (False, True),
}
"""Type -> whether it makes risk events, and findings."""
_SCHEDULE = ("0 * * * *", "-70m@m", "-10m@m")

_TOKEN = re.compile(r"%%(\w+)%%")
_NAMESPACE = uuid.UUID("0e0b6f0c-58f7-4a44-9df5-0d1f5c1a7c55")
_UIDS = range(20_000, 100_000)
"""Numbers of apps that contentctl takes for those that are not on Splunkbase."""


def make_appid(title: str) -> str:
    """The id of an app: what of its title its folder can be called.

    >>> make_appid("Acme: Detections 2"), make_appid("2024"), make_appid("CON")
    ('acme_detections_2', 'detections_2024', 'detections_con')
    """
    bare = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")
    return bare if is_appid(bare) else f"detections_{bare}".rstrip("_")


def build_repository(app: AppIdentity, ci: Sequence[str], today: date) -> tuple[NewFile, ...]:
    """All files of the repository of an app.

    Args:
        app: what ``contentctl.yml`` says.
        ci: those of ``CI_SYSTEMS`` that are to have a workflow.
        today: the date of its elements.

    Raises:
        EscudoError: AUT012 for what no app can be called, or contentctl refuses.
    """
    check_identity(app)
    if "." in app.appid:
        raise EscudoError("AUT012", f"app.appid {app.appid!r}: contentctl allows no dot in it")
    if (room := measure_room(app.label)) < len(_DETECTION):
        raise EscudoError(
            "AUT012",
            f"app.label {app.label!r} is too long: it leaves {max(room, 0)} characters to the names"
            " of detections",
            hint="Enterprise Security edits saved searches of 99 characters; give a short --label",
        )
    return tuple(_list_files(app, ci, today))


def _list_files(app: AppIdentity, ci: Sequence[str], today: date) -> Iterator[NewFile]:
    tokens = {
        "uid": str(_UIDS[uuid.uuid5(_NAMESPACE, app.appid).int % len(_UIDS)]),
        "title_text": app.title,
        **{key: json.dumps(text, ensure_ascii=False) for key, text in asdict(app).items()},
        "ci": "".join(f"\nOn each change `{_CI_FILES[name][1]}` does the same.\n" for name in ci),
    }
    yield _file("contentctl.yml", _fill("contentctl.yml", tokens))
    yield _file("README.md", _fill("README.md", tokens).rstrip() + "\n")
    yield _file(".gitignore", _fill("gitignore.txt", {}))
    for name in ci:
        template, path = _CI_FILES[name]
        yield _file(path, _fill(template, {}))
    for folder in _EMPTY:
        yield _file(f"{folder}/.gitkeep", "")
    yield from _list_deployments(app.author_name, today)
    yield from _list_examples(app.author_name, today)


def _list_deployments(author: str, today: date) -> Iterator[NewFile]:
    for kind, (risk, finding) in _DEPLOYMENTS.items():
        actions: dict[str, Any] = {}
        if finding:
            actions["notable"] = {
                "rule_title": "%name%",
                "rule_description": "%description%",
                "nes_fields": ["user", "dest"],
            }
        if risk:
            actions["rba"] = {"enabled": True}
        yield _deployment(kind, author, today, _SCHEDULE, actions)
    yield _deployment("Baseline", author, today, BASELINE_SCHEDULE, {})


def _deployment(
    kind: str, author: str, today: date, schedule: tuple[str, str, str], actions: dict[str, Any]
) -> NewFile:
    name = f"ESCU Default Configuration {kind}"  # contentctl looks for it by this name
    values = {
        "name": name,
        "id": str(uuid.uuid4()),
        "date": today.isoformat(),
        "author": author,
        "type": kind,
        "description": f"When content of type {kind} runs, and what a row of it brings about.",
        "scheduling": make_scheduling(*schedule),
        **({"alert_action": actions} if actions else {}),
    }
    return make_yaml_file(f"deployments/{name_file(name)}.yml", values)


def _list_examples(author: str, today: date) -> Iterator[NewFile]:
    """One detection with its story, data source, macros, and events for its tests."""

    def identify(name: str) -> Identity:
        return Identity(name=name, author=author, today=today, id=uuid.uuid4())

    folder = f"tests/{name_file(_DETECTION)}"
    answers = {
        "search": _SEARCH,
        "type": "TTP",
        "folder": "endpoint",
        "description": (
            "Finds vssadmin and wmic deleting volume shadow copies, so that encrypted or destroyed"
            " files cannot be restored."
        ),
        "data_source": (_SOURCE,),
        "story": (_STORY,),
        "technique": ("T1490",),
        "threat_object": ("process_name",),
        "score": 70,
        "message": "Shadow copies of $dest$ were deleted by $user$: $process$",
        "asset_type": "Endpoint",
        "security_domain": "endpoint",
        "reference": ("https://attack.mitre.org/techniques/T1490/",),
        "how_to_implement": (
            "Collect process creations with their command lines, and map them to the Processes"
            " dataset of the Endpoint data model."
        ),
        "known_false_positives": "Backup software that replaces its own shadow copies.",
        "test_data": (f"{folder}/attack.xml",),
        "source": _SYSMON,
        "sourcetype": "XmlWinEventLog",
    }
    detection, _ = build_detection(identify(_DETECTION), answers, _FIELDS)
    yield detection
    yield _file(f"{folder}/attack.xml", _fill("attack.xml", {}))
    yield _file("tests/benign/administration.xml", _fill("benign.xml", {}))
    yield from build_macro(
        identify(name_filter(_DETECTION)),
        {
            "definition": f"lookup {_LOOKUP} process OUTPUT reason AS known | where isnull(known)",
            "description": f"Leaves out the commands of {_LOOKUP}.csv.",
        },
    )
    lookup, _ = build_lookup(
        identify(_LOOKUP),
        {
            "type": "csv",
            "column": ("process", "reason"),
            "description": "Command lines of backup software that may delete shadow copies.",
            "match_type": ("WILDCARD(process)",),
            "case": "insensitive",
        },
    )
    yield lookup
    yield _file(f"lookups/{_LOOKUP}.csv", _fill("known_commands.csv", {}))
    yield from build_story(
        identify(_STORY),
        {
            "description": "Attackers take away the means to restore what they destroy.",
            "narrative": (
                "Before files are encrypted or wiped, shadow copies and backups are deleted. It is"
                " often the last thing that can be seen before the damage is done."
            ),
            "category": ("Ransomware",),
            "use": "Advanced Threat Detection",
            "reference": ("https://attack.mitre.org/techniques/T1490/",),
        },
    )
    yield from build_data_source(
        identify(_SOURCE),
        {
            "description": "Process creations, as Sysmon reports them.",
            "source": _SYSMON,
            "sourcetype": "XmlWinEventLog",
            "separator": "EventID",
            "add_on": ("Splunk Add-on for Sysmon:4.0.2:https://splunkbase.splunk.com/app/5709",),
            "field": (
                *("_time", "CommandLine", "Computer", "EventID", "Image", "ParentImage"),
                *("ProcessGuid", "ProcessId", "User"),
            ),
        },
    )
    yield from build_macro(
        identify("security_content_summariesonly"),
        {
            "definition": "summariesonly=false allow_old_summaries=true fillnull_value=null",
            "description": "Options of tstats that are set in one place.",
        },
    )
    yield from build_macro(
        identify("security_content_ctime"),
        {
            "definition": 'convert timeformat="%Y-%m-%dT%H:%M:%S" ctime($field$)',
            "argument": ("field",),
            "description": "A time in epoch seconds as readable text.",
        },
    )


def _fill(template: str, tokens: Mapping[str, str]) -> str:
    source = files("escudo.authoring.scaffold").joinpath("templates", template)
    text = source.read_text("utf-8")
    return _TOKEN.sub(lambda token: tokens.get(token[1], token[0]), text)


def _file(path: str, text: str) -> NewFile:
    return NewFile(PurePosixPath(path), text.encode())
