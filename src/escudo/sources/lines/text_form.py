"""The ``text:`` of a source's YAML -> ``TextForm``: how lines are recognised, framed and read.

``family`` calls it; ``extraction`` and ``recognition`` work by it. docs/sources.md has each key.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from escudo.sources.definition import Definition
from escudo.sources.lines.delimited import DelimitedRule
from escudo.sources.lines.pairs import PairRule

Place: TypeAlias = tuple[str | int, ...]

WHOLE = "_text"
"""What a step reads that names no field: the text behind the syslog header, if there is one."""


LINE = "_line"
"""The whole text, its syslog header included."""


class Header(StrEnum):
    """Where names of values come from that stand in the file itself."""

    W3C = "w3c"
    ZEEK = "zeek"
    ROW = "row"


@dataclass(frozen=True, slots=True)
class PairStep:
    """``pairs:`` name=value in a field's text."""

    rule: PairRule
    of: str = WHOLE
    only: str | None = None


@dataclass(frozen=True, slots=True)
class ValueStep:
    """``values:`` between delimiters in a field's text."""

    rule: DelimitedRule
    of: str = WHOLE


@dataclass(frozen=True, slots=True)
class MatchStep:
    """``match:`` regular expressions with named groups; the first that matches a text counts."""

    patterns: tuple[str, ...]
    of: str = WHOLE


@dataclass(frozen=True, slots=True)
class JsonStep:
    """``json:`` an object in a field's text."""

    of: str = WHOLE


Step: TypeAlias = PairStep | ValueStep | MatchStep | JsonStep


@dataclass(frozen=True, slots=True)
class HexRule:
    """Fields, by a pattern of their names, whose bare values may be hexadecimal; ``when`` a field
    has one of some values."""

    fields: str
    when: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class JoinRule:
    """One field out of several whose names match, in the order of the numbers in the names."""

    into: str
    fields: str
    by: str
    when: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class RecordRule:
    """Records that are one event together: fields that those of one kind give the others.

    ``mark`` is a pattern whose group ``mark`` is the same in the text of each.
    """

    mark: str
    key: tuple[str, ...]
    kind: str
    give: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class TimeRule:
    """A time in some fields, joined by blanks; without ``form`` it is any that ``times`` knows."""

    of: tuple[str, ...]
    form: str | None = None
    local: bool = False


@dataclass(frozen=True, slots=True)
class TextForm:
    """How the texts of a source are read."""

    contains: tuple[str, ...] = ()
    pattern: str | None = None
    starts: str | None = None
    header: Header | None = None
    by: str = ""
    syslog: bool = False
    read: tuple[Step, ...] = ()
    nothing: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    hex: tuple[HexRule, ...] = ()
    join: tuple[JoinRule, ...] = ()
    records: RecordRule | None = None
    time: tuple[TimeRule, ...] = ()

    @property
    def description(self) -> str:
        """In a few words, for people: ``syslog, key=value``."""
        words = ["syslog"] if self.syslog else []
        if self.header is not None:
            words.append(
                {"w3c": "W3C", "zeek": "Zeek TSV", "row": "rows under a header"}[self.header]
            )
        shown = {
            PairStep: "key=value",
            ValueStep: "delimited",
            MatchStep: "patterns",
            JsonStep: "JSON",
        }
        words += dict.fromkeys(shown[type(step)] for step in self.read)
        if self.records is not None:
            words.append("records joined")
        if self.starts is not None:
            words.append("several lines")
        return ", ".join(words) or "text"


_LISTS = ("contains", "nothing")
_TEXTS = ("pattern", "starts", "by")


def read_text_form(definition: Definition) -> TextForm | None:
    """The form that a definition's ``text`` describes; None without one.

    Raises:
        EscudoError: SRC050 with the place in the file where the text does not fit.
    """
    values = definition.values.get("text")
    if values is None:
        return None
    place: Place = ("text",)
    _check_keys(definition, values, place, (f.name for f in fields(TextForm)))
    options: dict[str, Any] = {
        n: _texts(definition, values[n], (*place, n)) for n in _LISTS if n in values
    }
    options |= {n: _text(definition, values[n], (*place, n)) for n in _TEXTS if n in values}
    for name in ("pattern", "starts"):
        _check_pattern(definition, options.get(name), (*place, name))
    options["syslog"] = bool(values.get("syslog", False))
    if "header" in values:
        options["header"] = _choose_header(definition, values["header"], (*place, "header"))
    options["read"] = _each(definition, values, "read", _read_step)
    names = values.get("names") or {}
    if not isinstance(names, dict):
        raise definition.error("SRC050", "'names' needs a mapping, old to new", *place, "names")
    options["names"] = {str(old): str(new) for old, new in names.items()}
    options["hex"] = _each(definition, values, "hex", _read_hex)
    options["join"] = _each(definition, values, "join", _read_join)
    options["time"] = _each(definition, values, "time", _read_time)
    if "records" in values:
        options["records"] = _read_records(definition, values["records"], (*place, "records"))
    return TextForm(**options)


def _check_keys(definition: Definition, value: Any, place: Place, known: Iterable[str]) -> None:
    if not isinstance(value, dict):
        raise definition.error("SRC050", "a mapping of keys is expected", *place)
    names = sorted(known)
    for key in value:
        if key not in names:
            near = difflib.get_close_matches(str(key), names, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names)}"
            raise definition.error("SRC050", f"unknown key {key!r}", *place, key, hint=hint)


def _text(definition: Definition, value: Any, place: Place) -> str:
    if isinstance(value, str | int | float) and str(value):
        return str(value)
    raise definition.error("SRC050", "a text is expected here", *place)


def _texts(definition: Definition, value: Any, place: Place) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(_text(definition, each, (*place, n)) for n, each in enumerate(value))
    return (_text(definition, value, place),)


def _words(definition: Definition, value: Any, place: Place) -> tuple[str, ...]:
    """A list of names, or one text with blanks between them; ``_`` is a value without a name."""
    names = value if isinstance(value, list) else str(value).split()
    return tuple("" if name in (None, "_", "") else str(name) for name in names)


def _each(
    definition: Definition,
    values: Mapping[str, Any],
    name: str,
    read: Callable[[Definition, Any, Place], Any],
) -> tuple[Any, ...]:
    """What a list holds, each read; a value alone is a list of one."""
    value = values.get(name)
    if value is None:
        return ()
    if not isinstance(value, list):
        return (read(definition, value, ("text", name)),)
    return tuple(read(definition, each, ("text", name, n)) for n, each in enumerate(value))


def _check_pattern(definition: Definition, pattern: str | None, place: Place) -> None:
    if pattern is None:
        return
    try:
        pc.match_substring_regex(pa.array([""]), pattern)
    except pa.ArrowInvalid as error:
        raise definition.error("SRC050", f"not a regular expression: {error}", *place) from None


def _choose_header(definition: Definition, value: Any, place: Place) -> Header:
    try:
        return Header(str(value))
    except ValueError:
        known = ", ".join(Header)
        raise definition.error("SRC050", f"no such header; known: {known}", *place) from None


def _read_step(definition: Definition, value: Any, place: Place) -> Step:
    kinds = ("pairs", "values", "match", "json")
    if not isinstance(value, dict) or len(value) != 1 or next(iter(value)) not in kinds:
        raise definition.error("SRC050", f"a step is one of {', '.join(kinds)}", *place)
    [(kind, said)] = value.items()
    return _STEPS[kind](definition, said, (*place, kind))


def _read_pair_step(definition: Definition, said: Any, place: Place) -> PairStep:
    said = said or {}
    _check_keys(definition, said, place, ("of", "only", "assign", "between", "quote", "spaced"))
    for name in ("assign", "quote"):
        if name in said and len(str(said[name]).encode()) != 1:
            raise definition.error("SRC050", f"{name!r} is one character of ASCII", *place, name)
    rule = PairRule(
        assign=str(said.get("assign", "=")),
        between=str(said.get("between", " \t")) + "\r\n",
        quote=str(said.get("quote", '"')),
        spaced=bool(said.get("spaced", False)),
    )
    if not rule.between.isascii():
        raise definition.error(
            "SRC050", "'between' has characters of ASCII only", *place, "between"
        )
    only = said.get("only")
    _check_pattern(definition, only, (*place, "only"))
    return PairStep(rule, str(said.get("of", WHOLE)), only)


def _read_value_step(definition: Definition, said: Any, place: Place) -> ValueStep:
    _check_keys(definition, said, place, ("of", "by", "names", "quote"))
    by = str(said.get("by", ","))
    if len(by.encode()) != 1:
        raise definition.error("SRC050", "'by' is one character of ASCII", *place, "by")
    names = _words(definition, said.get("names", ""), (*place, "names"))
    if not names:
        raise definition.error("SRC050", "'values' needs 'names'", *place)
    return ValueStep(
        DelimitedRule(by, names, str(said.get("quote", '"'))), str(said.get("of", WHOLE))
    )


def _read_match_step(definition: Definition, said: Any, place: Place) -> MatchStep:
    if not isinstance(said, dict):
        said = {"patterns": said}
    _check_keys(definition, said, place, ("of", "patterns"))
    patterns = _texts(definition, said.get("patterns"), (*place, "patterns"))
    for pattern in patterns:
        try:
            pc.extract_regex(pa.array([""]), pattern)
        except pa.ArrowInvalid as error:
            message = f"not a regular expression with named groups: {error}"
            raise definition.error("SRC050", message, *place) from None
    return MatchStep(patterns, str(said.get("of", WHOLE)))


def _read_json_step(definition: Definition, said: Any, place: Place) -> JsonStep:
    said = said or {}
    _check_keys(definition, said, place, ("of",))
    return JsonStep(str(said.get("of", WHOLE)))


_STEPS: Mapping[str, Callable[[Definition, Any, Place], Step]] = {
    "pairs": _read_pair_step,
    "values": _read_value_step,
    "match": _read_match_step,
    "json": _read_json_step,
}


def _when(definition: Definition, said: Any, place: Place) -> Mapping[str, tuple[str, ...]]:
    when = said.get("when") or {}
    if not isinstance(when, dict):
        raise definition.error("SRC050", "'when' needs a mapping, field to values", *place, "when")
    return {str(n): _texts(definition, v, (*place, "when", n)) for n, v in when.items()}


def _read_hex(definition: Definition, said: Any, place: Place) -> HexRule:
    _check_keys(definition, said, place, ("fields", "when"))
    pattern = _text(definition, said.get("fields"), (*place, "fields"))
    _check_pattern(definition, pattern, (*place, "fields"))
    return HexRule(pattern, _when(definition, said, place))


def _read_join(definition: Definition, said: Any, place: Place) -> JoinRule:
    _check_keys(definition, said, place, ("into", "fields", "by", "when"))
    into = _text(definition, said.get("into"), (*place, "into"))
    pattern = _text(definition, said.get("fields"), (*place, "fields"))
    _check_pattern(definition, pattern, (*place, "fields"))
    return JoinRule(into, pattern, str(said.get("by", " ")), _when(definition, said, place))


def _read_time(definition: Definition, said: Any, place: Place) -> TimeRule:
    if not isinstance(said, dict):
        said = {"of": said}
    _check_keys(definition, said, place, ("of", "form", "local"))
    form = said.get("form")
    names = _texts(definition, said.get("of"), (*place, "of"))
    return TimeRule(names, None if form is None else str(form), bool(said.get("local", False)))


def _read_records(definition: Definition, said: Any, place: Place) -> RecordRule:
    _check_keys(definition, said, place, ("mark", "key", "kind", "give"))
    give = said.get("give") or {}
    if not isinstance(give, dict):
        raise definition.error("SRC050", "'give' needs a mapping, kind to fields", *place, "give")
    mark = _text(definition, said.get("mark"), (*place, "mark"))
    _check_pattern(definition, mark, (*place, "mark"))
    if "(?P<mark>" not in mark:
        raise definition.error("SRC050", "'mark' needs a group named mark", *place, "mark")
    return RecordRule(
        mark=mark,
        key=_texts(definition, said.get("key"), (*place, "key")),
        kind=_text(definition, said.get("kind"), (*place, "kind")),
        give={str(k): _words(definition, v, (*place, "give", k)) for k, v in give.items()},
    )
