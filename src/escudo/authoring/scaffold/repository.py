"""A title, an author -> the files of a content repository that validates, tests and builds;
``actions.init_repository`` calls it."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Any

from escudo.authoring.naming import name_file, name_filter
from escudo.authoring.scaffold.element_files import (
    Identity,
    NewFile,
    build_data_source,
    build_detection,
    build_lookup,
    build_macro,
    build_story,
)
from escudo.authoring.scaffold.vocabulary import DETECTION_FOLDERS
from escudo.authoring.yaml_text import write_yaml
from escudo.core.errors import EscudoError

CI_SYSTEMS = ("github", "gitlab")

_EMPTY = (
    *(f"detections/{folder}" for folder in DETECTION_FOLDERS if folder != "endpoint"),
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
_BASELINE_SCHEDULE = ("10 0 * * *", "-1450m@m", "-10m@m")

_APP_ID = re.compile(r"[A-Za-z0-9_-]+")
_NAMESPACE = uuid.UUID("0e0b6f0c-58f7-4a44-9df5-0d1f5c1a7c55")
_UIDS = range(20_000, 100_000)
"""Numbers of apps that contentctl takes for those that are not on Splunkbase."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryOptions:
    """What a new repository is for. ``label`` begins the names of its saved searches."""

    title: str
    appid: str
    label: str
    author: str
    email: str
    company: str
    ci: Sequence[str]


def make_appid(title: str) -> str:
    """The id of an app: what of its title its folder can be called.

    >>> make_appid("Acme: Detections 2")
    'acme_detections_2'
    """
    return re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_") or "detections"


def build_repository(options: RepositoryOptions, today: date) -> tuple[NewFile, ...]:
    """All files of the repository.

    Raises:
        EscudoError: AUT001 for an id that no app can have, AUT004 for a text of several lines.
    """
    if not _APP_ID.fullmatch(options.appid):
        raise EscudoError("AUT001", f"{options.appid!r} is no app id: letters, digits, _ and -")
    for text in (options.title, options.label, options.author, options.email, options.company):
        if not text.strip() or not text.isprintable():
            raise EscudoError("AUT004", f"{text!r}: one line of text, not empty")
    return tuple(_list_files(options, today))


def _list_files(options: RepositoryOptions, today: date) -> Iterator[NewFile]:
    tokens = {
        "uid": str(_UIDS[uuid.uuid5(_NAMESPACE, options.appid).int % len(_UIDS)]),
        "title": json.dumps(options.title),
        "title_text": options.title,
        "appid": json.dumps(options.appid),
        "label": json.dumps(options.label),
        "author": json.dumps(options.author),
        "email": json.dumps(options.email),
        "company": json.dumps(options.company),
        "description": json.dumps(f"Detections of {options.company}."),
        "ci": "".join(
            f"\nOn each change `{_CI_FILES[name][1]}` does the same.\n" for name in options.ci
        ),
    }
    yield _file("contentctl.yml", _fill("contentctl.yml", tokens))
    yield _file("README.md", _fill("README.md", tokens).rstrip() + "\n")
    yield _file(".gitignore", _fill("gitignore.txt", {}))
    for name in options.ci:
        template, path = _CI_FILES[name]
        yield _file(path, _fill(template, {}))
    for folder in _EMPTY:
        yield _file(f"{folder}/.gitkeep", "")
    yield from _list_deployments(options.author, today)
    yield from _list_examples(options.author, today)


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
    yield _deployment("Baseline", author, today, _BASELINE_SCHEDULE, {})


def _deployment(
    kind: str, author: str, today: date, schedule: tuple[str, str, str], actions: dict[str, Any]
) -> NewFile:
    name = f"ESCU Default Configuration {kind}"  # contentctl looks for it by this name
    cron, earliest, latest = schedule
    values = {
        "name": name,
        "id": str(uuid.uuid4()),
        "date": today.isoformat(),
        "author": author,
        "type": kind,
        "description": f"When content of type {kind} runs, and what a row of it brings about.",
        "scheduling": {
            "cron_schedule": cron,
            "earliest_time": earliest,
            "latest_time": latest,
            "schedule_window": "auto",
        },
        **({"alert_action": actions} if actions else {}),
    }
    return _file(f"deployments/{name_file(name)}.yml", write_yaml(values))


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
    for name, value in tokens.items():
        text = text.replace(f"%%{name}%%", value)
    return text


def _file(path: str, text: str) -> NewFile:
    return NewFile(PurePosixPath(path), text.encode())
