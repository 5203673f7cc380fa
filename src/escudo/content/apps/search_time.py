"""props.conf and transforms.conf -> the search-time fields of events; ``app_layer`` calls it.

Facts: props.conf and transforms.conf of the Admin Manual. What acts before events are stored is
no business of a search: it is told as an info, by stanza and key. What cannot be read is a warning,
and the rest of the file counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from escudo.content.apps.conf import Conf, Setting
from escudo.content.reading import read_whole
from escudo.core.errors import Diagnostic, EscudoError, Severity
from escudo.core.field_rules import (
    Alias,
    AutomaticLookup,
    Calculated,
    Capture,
    Columns,
    FieldRule,
    Pairs,
    What,
    read_stanza,
)
from escudo.core.schema import TableSchema
from escudo.spl import compile_eval, translate

Settings = Mapping[str, Setting]

_SOURCE = re.compile(r"(?P<regex>.+?)\s+in\s+(?P<field>[\w.:{}]+)\s*", re.DOTALL)
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|([^\s,"]+)')
_FORMAT = re.compile(r'("[^"]*"|[^\s:"]+)::("(?:[^"\\]|\\.)*"|\S+)')
_GROUP = re.compile(r"\$(\d+)")
_KEY_GROUP, _VALUE_GROUP = re.compile(r"_KEY_(\w+)"), re.compile(r"_VAL_(\w+)")
_META = {"MetaData:Host": "host", "MetaData:Source": "source", "MetaData:Sourcetype": "sourcetype"}
_ESCAPES = {r"\t": "\t", r"\n": "\n", r"\r": "\r", r"\s": " ", r"\"": '"', r"\\": "\\"}
_TRUE = frozenset({"1", "true", "t", "yes", "y", "enabled"})

_AT_SEARCH = ("EXTRACT-", "REPORT-", "FIELDALIAS-", "EVAL-", "LOOKUP-")
_NO_MATTER = frozenset(
    {"description", "category", "pulldown_type", "priority", "disabled", "sourcetype"}
)
_BEFORE_PREFIXES = (
    *("TRANSFORMS", "SEDCMD", "RULESET", "SEGMENTATION", "METRIC", "UNARCHIVE", "NO_BINARY"),
    *("FIELD_", "HEADER_", "PREAMBLE_", "TIMESTAMP_", "STATSD", "LEARN_", "EVENT_BREAKER", "LB_"),
)
_BEFORE = frozenset(
    {
        *("CHARSET", "TRUNCATE", "LINE_BREAKER", "LINE_BREAKER_LOOKBEHIND", "SHOULD_LINEMERGE"),
        *(
            "BREAK_ONLY_BEFORE",
            "BREAK_ONLY_BEFORE_DATE",
            "MUST_BREAK_AFTER",
            "MUST_NOT_BREAK_AFTER",
        ),
        *("MUST_NOT_BREAK_BEFORE", "MAX_EVENTS", "DATETIME_CONFIG", "TIME_PREFIX", "TIME_FORMAT"),
        *("MAX_TIMESTAMP_LOOKAHEAD", "TZ", "TZ_ALIAS", "MAX_DAYS_AGO", "MAX_DAYS_HENCE"),
        *("MAX_DIFF_SECS_AGO", "MAX_DIFF_SECS_HENCE", "ADD_EXTRA_TIME_FIELDS", "ANNOTATE_PUNCT"),
        *("INDEXED_EXTRACTIONS", "CHECK_FOR_HEADER", "CHECK_METHOD", "MATCH_LIMIT", "DEPTH_LIMIT"),
        *(
            "KV_MODE",
            "AUTO_KV_JSON",
            "KV_TRIM_SPACES",
            "initCrcLength",
            "invalid_cause",
            "is_valid",
        ),
        *(
            "force_local_processing",
            "given_type",
            "maxDist",
            "MISSING_VALUE_REGEX",
            "detect_trailing_nulls",
        ),
    }
)
"""Settings by which Splunk takes events in, or finds fields by itself: Escudo's sources do both."""
_TRANSFORM_KEYS = frozenset(
    {
        *("REGEX", "FORMAT", "SOURCE_KEY", "DELIMS", "FIELDS", "MV_ADD", "CLEAN_KEYS"),
        *("CAN_OPTIMIZE", "MATCH_LIMIT", "DEPTH_LIMIT", "LOOKAHEAD", "disabled", "description"),
    }
)


def read_field_rules(
    props: Conf, transforms: Conf, tell: list[Diagnostic]
) -> tuple[list[FieldRule], set[str]]:
    """The search-time fields of all stanzas, and the transforms that they use; what is wrong goes
    to ``tell``."""
    rules: list[FieldRule] = []
    used: set[str] = set()
    for name, settings in props.stanzas.items():
        reader = _Stanza(name, settings, transforms, tell)
        rules += reader.rules()
        used |= reader.used
    return rules, used


class _Stanza:
    """One stanza of props.conf."""

    def __init__(
        self, name: str, settings: Settings, transforms: Conf, tell: list[Diagnostic]
    ) -> None:
        self.name = name
        self.settings = settings
        self.transforms = transforms
        self.tell = tell
        self.used: set[str] = set()

    def rules(self) -> Iterator[FieldRule]:
        priority = self.settings.get("priority")
        events = read_stanza(self.name, read_whole(priority.value) if priority else None)
        before: list[str] = []
        unknown: list[str] = []
        for key, setting in self.settings.items():
            if events is None or key in _BEFORE or key.startswith(_BEFORE_PREFIXES):
                before.append(key)
            elif key.startswith(_AT_SEARCH):
                if setting.value:
                    for at, what in enumerate(self._read(key, setting)):
                        yield FieldRule(events, (key, at), what, setting.span)
            elif key not in _NO_MATTER:
                unknown.append(key)
        shown = f"[{self.name}] of props.conf"
        self._say(unknown, shown, "has no effect here", Severity.WARNING)
        self._say(before, shown, "is what Escudo's sources do in their own way", Severity.INFO)

    def _say(self, keys: list[str], what: str, why: str, severity: Severity) -> None:
        if keys:
            span = self.settings[keys[0]].span
            message = f"{what}: {', '.join(keys)} {why}"
            self.tell.append(Diagnostic("CON222", message, severity, span))

    def _read(self, key: str, setting: Setting) -> list[What]:
        """What a setting says; nothing, and a warning, where it cannot be read."""
        kind, _, rest = key.partition("-")
        readers = {
            "EXTRACT": self._extract,
            "REPORT": self._report,
            "FIELDALIAS": self._aliases,
            "LOOKUP": self._lookup,
        }
        try:
            if kind == "EVAL":
                compile_eval(setting.value, TableSchema("events", (), rest="_fields"))
                return [Calculated(rest, setting.value)]
            return list(readers[kind](setting.value))
        except EscudoError as error:
            self._warn(key, setting, error.diagnostic.message)
        except ValueError as error:
            self._warn(key, setting, str(error))
        return []

    def _warn(self, key: str, setting: Setting, why: str) -> None:
        message = f"[{self.name}] of props.conf: {key} has no effect: {why}"
        self.tell.append(Diagnostic("CON223", message, Severity.WARNING, setting.span))

    def _extract(self, value: str) -> Iterator[What]:
        from_field = _SOURCE.fullmatch(value)
        pattern = from_field["regex"] if from_field else value
        fields = tuple(translate(pattern).names().items())
        if not fields:
            raise ValueError("its regular expression has no named group")
        yield Capture(pattern, fields, source=from_field["field"] if from_field else "_raw")

    def _report(self, value: str) -> Iterator[What]:
        for name in filter(None, (part.strip() for part in value.split(","))):
            if name not in self.transforms.stanzas:
                raise ValueError(f"transforms.conf has no stanza [{name}]")
            self.used.add(name)
            yield _read_transform(name, self.transforms.settings(name))
            self._tell_rest(name)

    def _tell_rest(self, name: str) -> None:
        settings = self.transforms.settings(name)
        unknown = [key for key in settings if key not in _TRANSFORM_KEYS]
        if unknown:
            message = f"[{name}] of transforms.conf: {', '.join(unknown)} has no effect here"
            span = settings[unknown[0]].span
            self.tell.append(Diagnostic("CON222", message, Severity.WARNING, span))

    def _aliases(self, value: str) -> Iterator[What]:
        words = _words(value)
        for at in range(0, len(words), 3):
            part = words[at : at + 3]
            if len(part) != 3 or part[1].upper() not in ("AS", "ASNEW"):
                raise ValueError(f"{' '.join(part)!r} is not 'field AS alias'")
            yield Alias(part[0], part[2], keeps=part[1].upper() == "ASNEW")

    def _lookup(self, value: str) -> Iterator[What]:
        table, *words = _words(value) or [""]
        keyword = next(
            (i for i, w in enumerate(words) if w.upper() in ("OUTPUT", "OUTPUTNEW")), None
        )
        inputs = words if keyword is None else words[:keyword]
        outputs = [] if keyword is None else words[keyword + 1 :]
        if not table or not inputs:
            raise ValueError("it is 'lookup field [AS field] ... OUTPUT field [AS field] ...'")
        new = keyword is not None and words[keyword].upper() == "OUTPUTNEW"
        yield AutomaticLookup(table, tuple(_named(inputs)), tuple(_named(outputs)), new)


def _words(text: str) -> list[str]:
    r"""Words and texts in double quotes; commas part them, too.

    >>> _words('a AS b, "c d" AS e')
    ['a', 'AS', 'b', 'c d', 'AS', 'e']
    """
    return [m[1] if m[1] is not None else m[2] for m in _WORD.finditer(text)]


def _named(words: list[str]) -> Iterator[tuple[str, str]]:
    """Pairs of ``field AS other``, or a field alone."""
    at = 0
    while at < len(words):
        if at + 2 < len(words) and words[at + 1].upper() == "AS":
            yield words[at], words[at + 2]
            at += 3
        else:
            yield words[at], words[at]
            at += 1


def _read_transform(name: str, settings: Settings) -> What:
    """An extraction of transforms.conf."""

    def text(key: str, default: str = "") -> str:
        return settings[key].value if key in settings else default

    source = text("SOURCE_KEY", "_raw") or "_raw"
    source = _META.get(source, source.removeprefix("field:"))
    several = text("MV_ADD").lower() in _TRUE
    clean = text("CLEAN_KEYS", "true").lower() in _TRUE
    if text("DELIMS"):
        delimiters = [_unescape(d) for d in _words(text("DELIMS"))]
        fields = tuple(_words(text("FIELDS")))
        if fields:
            return Columns(delimiters[0], fields, source)
        if len(delimiters) < 2:
            raise ValueError(f"[{name}] of transforms.conf: DELIMS without FIELDS needs two texts")
        return Pairs(delimiters[0], delimiters[1], source, several=several, clean_keys=clean)
    if not text("REGEX"):
        raise ValueError(f"[{name}] of transforms.conf has neither REGEX nor DELIMS")
    pattern = translate(text("REGEX"))
    groups = pattern.names()
    values = {m[1]: n for g, n in groups.items() if (m := _VALUE_GROUP.fullmatch(g))}
    keys = {m[1]: n for g, n in groups.items() if (m := _KEY_GROUP.fullmatch(g))}
    pairs = [(number, values[k]) for k, number in keys.items() if k in values]
    fields_of = [
        (g, n) for g, n in groups.items() if not (_KEY_GROUP.match(g) or _VALUE_GROUP.match(g))
    ]
    named: list[tuple[str, int | str]] = list(fields_of)
    for key, value in _FORMAT.findall(text("FORMAT")):
        made, key_group = _read_format(value), _GROUP.fullmatch(key.strip('"'))
        if isinstance(made, int) and made > len(pattern.groups):
            raise ValueError(f"[{name}] of transforms.conf: REGEX has no group {made}")
        if key_group is None:
            named.append((key.strip('"'), made))
        elif isinstance(made, int):
            pairs.append((int(key_group[1]), made))
    if not named and not pairs:
        raise ValueError(f"[{name}] of transforms.conf names no field")
    return Capture(
        text("REGEX"),
        tuple(named),
        tuple(pairs),
        source,
        repeated=True,
        several=several,
        clean_keys=clean,
    )


def _read_format(value: str) -> int | str:
    """``$1`` is a group; anything else a text."""
    bare = value.strip('"')
    group = _GROUP.fullmatch(bare)
    if group is not None:
        return int(group[1])
    if _GROUP.search(bare):
        raise ValueError(f"FORMAT: {value!r} joins groups, which a search-time field cannot")
    return bare


def _unescape(text: str) -> str:
    return re.sub(r"\\.", lambda m: _ESCAPES.get(m[0], m[0][1:]), text)


def read_tags(conf: Conf) -> dict[tuple[str, str], tuple[str, ...]]:
    """(field, value) -> the tags that are enabled for it (tags.conf)."""
    out = {}
    for stanza in conf.names():
        name, equals, value = stanza.partition("=")
        tags = [t for t, s in conf.settings(stanza).items() if s.value.strip().lower() in _TRUE]
        if equals and tags:
            out[(name.strip(), _unquote(value.strip()))] = tuple(tags)
    return out


def _unquote(text: str) -> str:
    r"""A value as tags.conf writes it, ``%20`` and the like.

    >>> _unquote("a%3Ab")
    'a:b'
    """
    return re.sub(r"%([0-9A-Fa-f]{2})", lambda m: chr(int(m[1], 16)), text)


def read_eventtypes(conf: Conf, tell: list[Diagnostic]) -> dict[str, str]:
    """Name -> search, of the event types that are not disabled (eventtypes.conf)."""
    known = {"search", "disabled", "description", "priority", "color", "tags"}
    out = {}
    for name in conf.names():
        settings = conf.settings(name)
        unknown = [key for key in settings if key not in known]
        if unknown:
            message = f"[{name}] of eventtypes.conf: {', '.join(unknown)} has no effect here"
            span = settings[unknown[0]].span
            tell.append(Diagnostic("CON222", message, Severity.WARNING, span))
        disabled = "disabled" in settings and settings["disabled"].value.lower() in _TRUE
        if "search" in settings and settings["search"].value and not disabled:
            out[name] = settings["search"].value
    return out
