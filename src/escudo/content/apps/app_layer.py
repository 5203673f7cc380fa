"""The folder of a Splunk app -> a layer of content: its searches, macros, lookups; ``collection``
calls it.

A saved search with risk or a finding is a detection (TTP, Anomaly or Correlation), one that writes
a lookup, a model or events a baseline, any other a detection of type Hunting; in an app that
contentctl has built each is what it says it is. Settings without a meaning here are told (CON222),
never dropped in silence.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from escudo.content.apps.app_files import CONFS
from escudo.content.apps.app_stories import read_stories
from escudo.content.apps.conf import Conf, layer_confs, read_conf
from escudo.content.apps.escu_settings import (
    DETECTION,
    INVESTIGATIVE,
    SUPPORT,
    EscuSettings,
    read_escu_settings,
)
from escudo.content.apps.search_time import read_eventtypes, read_field_rules, read_tags
from escudo.content.apps.setting_values import (
    Settings,
    read_json,
    read_number,
    read_objects,
    read_setting,
    read_truth,
)
from escudo.content.elements.common import Origin, Schedule
from escudo.content.elements.detection import Detection, Tags, Throttling
from escudo.content.elements.drilldown import Drilldown
from escudo.content.elements.lookup import find_wrong_columns, read_match_types
from escudo.content.elements.risk import RISK_OBJECT_TYPES, RiskConfig, RiskObject, ThreatObject
from escudo.content.elements.searches import Baseline, Investigation
from escudo.content.loading import Layer, read_text
from escudo.content.roots import stays_inside
from escudo.core.catalog import Lookup, Macro
from escudo.core.errors import Diagnostic, Severity, Span

_NAMESPACE = uuid.UUID("5c1fa2a5-5f0f-4f27-9d39-6c1a5e6e0b12")
_RULE = re.compile(r"(?P<label>.+?) - (?P<name>.+) - Rule")
_TASK = " - Response Task"
_ARITY = re.compile(r"\((\d+)\)\Z")
_WRITES = re.compile(r"\|\s*(?:outputlookup|collect|fit\b.*\binto)\b", re.IGNORECASE | re.DOTALL)
_PERIOD = re.compile(r"(\d+)([smhd]?)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}

_SEARCH_PREFIXES = (
    *("action.", "alert.", "auto_summarize", "dispatch.", "display.", "dispatchAs", "durable."),
    *("enableSched", "is_visible", "max_concurrent", "realtime_schedule", "request.", "restart_"),
    *("run_", "schedule_", "skip_scheduled", "vsid", "workload_pool", "allow_skew", "defer_"),
)
"""Settings of a saved search that say how Splunk runs or shows it, not what it finds."""
_SEARCH_KEYS = frozenset({"search", "description", "cron_schedule", "disabled", "relation"})
_COUNTS = frozenset({"counttype", "quantity", "alert_condition"})
_MACRO_KEYS = frozenset({"definition", "args", "iseval", "validation", "errormsg", "description"})
_COLLECTION_KEYS = ("disabled",)
_LOOKUP_KEYS = frozenset(
    {
        *("filename", "collection", "fields_list", "match_type", "case_sensitive_match"),
        *("min_matches", "max_matches", "default_match", "external_type", "batch_index_query"),
    }
)


def load_app(folder: Path) -> Layer:
    """The content of one app. ``local`` goes over ``default``, as in Splunk."""
    layer = Layer(str(folder))
    confs = {name: _load_conf(layer, folder, name) for name in CONFS}
    for file in sorted((folder / "lookups").glob("*.csv")):
        if stays_inside(file, folder):
            layer.csv.setdefault(file.name, str(file))
    for name in confs["macros"].names():
        _add_macro(layer, name, confs["macros"].settings(name))
    rules, used = read_field_rules(confs["props"], confs["transforms"], layer.diagnostics)
    layer.field_rules = {(rule.events, rule.key): rule for rule in rules}
    layer.eventtypes = read_eventtypes(confs["eventtypes"], layer.diagnostics)
    layer.tags = read_tags(confs["tags"])
    for name in confs["transforms"].names():
        if name not in used:
            _add_lookup(layer, folder, name, confs["transforms"].settings(name))
    rules_named = map(_RULE.fullmatch, confs["savedsearches"].names())
    labels = {rule["label"] for rule in rules_named if rule is not None}
    for name in confs["savedsearches"].names():
        _add_search(layer, folder, name, confs["savedsearches"].settings(name), labels)
    for story in read_stories(confs["analyticstories"], layer.name, str(folder)):
        layer.stories[story.name.lower()] = story
    for name in confs["collections"].names():
        settings = confs["collections"].settings(name)
        _tell(layer, f"[{name}] of collections.conf", settings, _COLLECTION_KEYS, Severity.INFO)
    return layer


def _load_conf(layer: Layer, folder: Path, name: str) -> Conf:
    merged = Conf()
    for part in ("default", "local"):
        file = folder / part / f"{name}.conf"
        if not file.is_file():
            continue
        layer.files += 1
        if not stays_inside(file, folder):
            span = Span(str(file), 1, 1, 1, 1)
            layer.diagnostics.append(Diagnostic("CON211", f"{file} is not in the app", span=span))
            layer.failed_files += 1
            continue
        text, unreadable = read_text(file)
        if unreadable is not None:
            layer.diagnostics.append(unreadable)
            layer.failed_files += 1
            continue
        merged = layer_confs(merged, read_conf(str(file), text))
    layer.diagnostics += merged.problems
    return merged


def _tell(
    layer: Layer,
    what: str,
    settings: Settings,
    known: Collection[str],
    severity: Severity = Severity.WARNING,
) -> None:
    """One diagnostic for the settings of a stanza that have no effect."""
    unknown = [key for key in settings if key not in known]
    if unknown:
        names = ", ".join(unknown)
        span = settings[unknown[0]].span
        layer.diagnostics.append(
            Diagnostic("CON222", f"{what}: {names} has no effect here", severity, span)
        )


def _add_macro(layer: Layer, name: str, settings: Settings) -> None:
    definition = settings.get("definition")
    _tell(layer, f"macro [{name}]", settings, _MACRO_KEYS)
    if definition is None:
        return
    arguments = tuple(a.strip() for a in read_setting(settings, "args").split(",") if a.strip())
    bare = _ARITY.sub("", name)
    layer.macros[(bare, len(arguments))] = Macro(
        bare, definition.value, arguments, read_truth(settings, "iseval"), definition.span
    )


def _add_lookup(layer: Layer, folder: Path, name: str, settings: Settings) -> None:
    filename, collection = read_setting(settings, "filename"), read_setting(settings, "collection")
    if not filename and not collection:
        severity = (
            Severity.INFO if "REGEX" in settings or "DELIMS" in settings else Severity.WARNING
        )
        _tell(layer, f"[{name}] of transforms.conf", settings, (), severity)
        return
    _tell(layer, f"lookup [{name}]", settings, _LOOKUP_KEYS)
    path = folder / "lookups" / filename if filename else None
    span = next(iter(settings.values())).span
    if path is not None and not stays_inside(path, folder):
        message = f"lookup [{name}]: its file is outside of the app"
        layer.diagnostics.append(Diagnostic("CON211", message, span=span))
        return
    match_types, rest = read_match_types(read_setting(settings, "match_type"))
    if rest:
        message = f"lookup [{name}]: match_type {rest!r} is not understood"
        layer.diagnostics.append(Diagnostic("CON104", message, span=span))
    for message in find_wrong_columns(str(path) if path is not None else None, match_types):
        where = settings["match_type"].span
        shown = f"lookup [{name}]: {message}"
        layer.diagnostics.append(Diagnostic("CON206", shown, Severity.WARNING, where))
    if path is not None and filename.lower().endswith(".csv") and not path.is_file():
        shown = f"lookup [{name}]: the app has no file {filename}"
        hint = "searches that use it fail (SPL314), unless one of the content writes it"
        where = settings["filename"].span
        layer.diagnostics.append(Diagnostic("CON202", shown, Severity.WARNING, where, hint))
    layer.lookups[name] = Lookup(
        name,
        str(path) if path is not None else None,
        collection or None,
        tuple(f for f in re.split(r"[,\s]+", read_setting(settings, "fields_list")) if f),
        match_types=match_types,
        case_sensitive=read_truth(settings, "case_sensitive_match", default=True),
        min_matches=read_number(settings, "min_matches", 0),
        max_matches=read_number(settings, "max_matches", 1000),
        default_match=read_setting(settings, "default_match") or None,
        span=span,
    )


def _add_search(
    layer: Layer, folder: Path, stanza: str, settings: Settings, labels: Collection[str]
) -> None:
    search = settings.get("search")
    ignored = [key for key in settings if key.startswith(_SEARCH_PREFIXES)]
    known = (*_SEARCH_KEYS, *_COUNTS, *ignored)
    _tell(layer, f"saved search [{stanza}]", settings, known)
    if search is None or not search.value:
        return
    _tell_condition(layer, stanza, settings)
    escu = read_escu_settings(settings)
    shared: dict[str, Any] = {
        "id": escu.id or str(uuid.uuid5(_NAMESPACE, stanza)),
        "version": escu.version,
        "created": escu.created,
        "date": escu.changed,
        "author": "",
        "status": escu.status,
        "description": read_setting(settings, "description"),
        "search": search.value,
        "how_to_implement": escu.how_to_implement,
        "known_false_positives": escu.known_false_positives,
        "references": (),
        "origin": Origin(search.span.file or "", layer.name, search.span, str(folder)),
    }
    schedule = _read_schedule(settings)
    writes = _WRITES.search(search.value) is not None and escu.search_type != DETECTION
    if escu.search_type == INVESTIGATIVE:
        task = _bare_name(stanza.removesuffix(_TASK), labels)
        layer.investigations[task.lower()] = Investigation(
            name=task,
            analytic_story=escu.stories,
            required_fields=(),
            security_domain="",
            **shared,
        )
    elif escu.search_type == SUPPORT or writes:
        learner = _bare_name(stanza, labels) if escu.search_type == SUPPORT else stanza
        layer.baselines[learner.lower()] = Baseline(
            name=learner,
            analytic_story=escu.stories,
            detections=(),
            security_domain="",
            schedule=schedule,
            **shared,
        )
    else:
        rule = _RULE.fullmatch(stanza)
        name, label = (rule["name"], rule["label"]) if rule else (stanza, folder.name)
        risk = _read_risk(layer, stanza, settings)
        layer.detections[name.lower()] = Detection(
            name=name,
            type=escu.type or _type(settings, search.value, risk),
            data_source=escu.data_source,
            drilldowns=tuple(_read_drilldowns(layer, stanza, settings)),
            tags=_read_tags(settings, escu),
            risk=risk,
            tests=(),
            label=label,
            saved_search=stanza,
            enabled=not read_truth(settings, "disabled"),
            schedule=schedule,
            **shared,
        )


def _read_schedule(settings: Settings) -> Schedule | None:
    cron = read_setting(settings, "cron_schedule")
    if not cron:
        return None
    return Schedule(
        cron,
        read_setting(settings, "dispatch.earliest_time"),
        read_setting(settings, "dispatch.latest_time"),
        read_setting(settings, "schedule_window") or "auto",
    )


def _bare_name(stanza: str, labels: Collection[str]) -> str:
    """The name of a search without the label of its app, which its detections have, too."""
    label, dash, name = stanza.partition(" - ")
    return name if dash and label in labels else stanza


def _tell_condition(layer: Layer, stanza: str, settings: Settings) -> None:
    """An alert that needs more than one result: here each row counts."""
    condition = read_setting(settings, "alert_condition")
    relation, quantity = read_setting(settings, "relation"), read_setting(settings, "quantity")
    if condition or (quantity and (relation.lower(), quantity) != ("greater than", "0")):
        told = condition or f"{read_setting(settings, 'counttype')} {relation} {quantity}"
        message = f"saved search [{stanza}]: its condition '{told}' has no effect, each row counts"
        span = settings["search"].span
        layer.diagnostics.append(Diagnostic("CON222", message, Severity.WARNING, span))


def _type(settings: Settings, search: str, risk: RiskConfig | None) -> str:
    titled = "action.notable.param.rule_title" in settings
    notable = titled or read_truth(settings, "action.notable")
    if notable and re.search(r"datamodel\s*[=:]?\s*\"?Risk\b|index\s*=\s*\"?risk\b", search, re.I):
        return "Correlation"
    if notable:
        return "TTP"
    return "Anomaly" if risk is not None else "Hunting"


def _read_risk(layer: Layer, stanza: str, settings: Settings) -> RiskConfig | None:
    entries = _read_told(layer, stanza, settings, "action.risk.param._risk")
    title = read_setting(settings, "action.notable.param.rule_title")
    message = read_setting(settings, "action.risk.param._risk_message") or title
    objects, threats = [], []
    for entry in read_objects(entries):
        if "risk_object_field" in entry:
            kind = str(entry.get("risk_object_type", "other")).lower()
            objects.append(
                RiskObject(
                    str(entry["risk_object_field"]),
                    kind if kind in RISK_OBJECT_TYPES else "other",
                    _score(entry.get("risk_score")),
                    str(entry.get("risk_message") or "") or None,
                )
            )
        if "threat_object_field" in entry:
            threat_type = str(entry.get("threat_object_type", ""))
            threats.append(ThreatObject(str(entry["threat_object_field"]), threat_type))
    return RiskConfig(message, tuple(objects), tuple(threats)) if objects else None


def _score(value: Any) -> int:
    try:
        return max(0, min(100, int(float(value))))
    except (TypeError, ValueError, OverflowError):
        return 0


def _read_tags(settings: Settings, escu: EscuSettings) -> Tags:
    throttling = None
    period = _PERIOD.fullmatch(read_setting(settings, "alert.suppress.period"))
    if read_truth(settings, "alert.suppress") and period is not None:
        fields = [f.strip() for f in read_setting(settings, "alert.suppress.fields").split(",")]
        throttling = Throttling(tuple(f for f in fields if f), int(period[1]) * _SECONDS[period[2]])
    return Tags(
        analytic_story=escu.stories,
        mitre_attack_id=escu.note("mitre_attack"),
        product=escu.product,
        cve=escu.note("cve"),
        cis20=escu.note("cis20"),
        kill_chain_phases=escu.note("kill_chain_phases"),
        nist=escu.note("nist"),
        atomic_guid=escu.atomic_guid,
        security_domain=read_setting(settings, "action.notable.param.security_domain"),
        throttling=throttling,
    )


def _read_drilldowns(layer: Layer, stanza: str, settings: Settings) -> Iterator[Drilldown]:
    """One as text of its own (before Enterprise Security 7.3), several as JSON."""
    earliest, latest = "$info_min_time$", "$info_max_time$"
    one = settings.get("action.notable.param.drilldown_search")
    if one is not None and one.value:
        name = read_setting(settings, "action.notable.param.drilldown_name") or "drilldown"
        yield Drilldown(name, one.value, earliest, latest, one.span)
    key = "action.notable.param.drilldown_searches"
    for entry in read_objects(_read_told(layer, stanza, settings, key)):
        yield Drilldown(
            str(entry.get("name", "drilldown")),
            str(entry.get("search", "")),
            str(entry.get("earliest_offset", earliest)),
            str(entry.get("latest_offset", latest)),
            settings[key].span,
        )


def _read_told(layer: Layer, stanza: str, settings: Settings, key: str) -> Any:
    """The value of a JSON text; that it is none is told."""
    value = read_json(settings, key)
    if value is None and read_setting(settings, key):
        message = f"saved search [{stanza}]: {key} is not JSON"
        span = settings[key].span
        layer.diagnostics.append(Diagnostic("CON220", message, Severity.WARNING, span))
    return value
