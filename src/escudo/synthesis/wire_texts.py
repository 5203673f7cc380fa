"""The fields of an event -> a line of text as its source writes it; ``wire`` calls it.

The steps by which a source's lines are read are gone backwards: pairs are written as pairs, values
between their delimiters, and of a pattern a text that it matches with the fields in its groups.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from escudo.sources.lines.delimited import DelimitedRule
from escudo.sources.lines.text_form import (
    WHOLE,
    JoinRule,
    JsonStep,
    MatchStep,
    PairStep,
    Step,
    TextForm,
    TimeRule,
    ValueStep,
)
from escudo.spl import translate
from escudo.synthesis.examples import find_groups, make_examples
from escudo.synthesis.functions import UnknownValueError, compile_pattern

_CARRIERS = ("message", "message_text")
"""Fields that hold what a line says in words."""
HOST = "host"
_DEFAULT_HOST = "server1"
_PLAIN = re.compile(r"[!#-~]*")
"""A text that the audit system writes as it is."""


@dataclass(frozen=True)
class TextWriter:
    """Writes lines that a form reads; ``order`` are the fields in the order of their source.

    ``nest`` writes an object of fields as JSON.
    """

    form: TextForm
    order: Sequence[str]
    nest: Callable[[Mapping[str, str]], str]

    @property
    def can_write(self) -> bool:
        return bool(self.form.read)

    @property
    def carrier(self) -> str:
        """The field that text goes to which may be anywhere in a line."""
        names = [name for step in self.form.read for name in _names_of(step)]
        return next((n for n in _CARRIERS if n in names), names[-1] if names else _CARRIERS[0])

    def find_defaults(self) -> Mapping[str, str]:
        """Texts of fields that the patterns read, as each asks for."""
        found: dict[str, str] = {}
        patterns = (p for s in self.form.read if isinstance(s, MatchStep) for p in s.patterns)
        for pattern in patterns:
            for example in make_examples(pattern):
                groups = _read_groups(pattern, example)
                if groups is not None:
                    found = {**{n: t for n, t in groups.items() if t}, **found}
                    break
        return found

    def find_forms(self) -> Mapping[str, str]:
        """What the patterns let the texts of fields be, as regular expressions of the whole."""
        forms: dict[str, list[str]] = {}
        for step in self.form.read:
            for pattern in step.patterns if isinstance(step, MatchStep) else ():
                for name in find_groups(pattern):
                    forms.setdefault(name, []).append(find_group(pattern, name))
        return {name: f"^(?:{'|'.join(dict.fromkeys(some))})$" for name, some in forms.items()}

    def holds(self, name: str) -> bool:
        """Whether lines can have a field."""
        if any(isinstance(step, PairStep | JsonStep) for step in self.form.read):
            return True
        named = (n for step in self.form.read for n in _names_of(step))
        return name in {*named, *self.form.names.values(), HOST}

    def write(self, fields: Mapping[str, str], time: float) -> str:
        """The line, or the lines of the records that are the event together."""
        renamed = {new: old for old, new in self.form.names.items()}
        known = {renamed.get(name, name): text for name, text in fields.items() if name != HOST}
        records = [dict(r) for r in self._split_records(known)]
        lines = [_Line(self, record, time).compose(WHOLE) or "" for record in records]
        if self.form.syslog:
            host = fields.get(HOST, _DEFAULT_HOST)
            at = datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds")
            lines = [f"{at} {host} {line}" for line in lines]
        return "\n".join(lines)

    def _split_records(self, fields: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
        """The event's own record, then one for each kind of record that lends it fields."""
        rule = self.form.records
        own = fields.get(rule.kind, "") if rule is not None else ""
        if rule is None or own not in rule.give:
            yield self._split_joined(fields)
            return
        lent = {
            kind: {n: fields[n] for n in names if n in fields}
            for kind, names in rule.give.items()
            if kind != own
        }
        borrowed = {name for given in lent.values() for name in given}
        yield self._split_joined({n: t for n, t in fields.items() if n not in borrowed})
        keys = {n: fields[n] for n in rule.key if n in fields}
        for kind, given in lent.items():
            if given:
                yield self._split_joined({rule.kind: kind, **keys, **given})

    def _split_joined(self, fields: Mapping[str, str]) -> Mapping[str, str]:
        """Fields that are read as several, in parts."""
        out = dict(fields)
        for rule in self.form.join:
            if not all(fields.get(name) in values for name, values in rule.when.items()):
                continue
            parts = [n for n in sorted(out) if re.fullmatch(rule.fields, n)]
            texts = [out.pop(n) for n in [*parts, rule.into] if n in out]
            words = [word for text in texts for word in text.split(rule.by)]
            if not all(words):  # a blank at the end, or two: an argument that has them
                words = texts
            out |= {name_part(rule, number): word for number, word in enumerate(words)}
        return out


class _Line:
    def __init__(self, writer: TextWriter, fields: Mapping[str, str], time: float) -> None:
        self.writer = writer
        self.form = writer.form
        self.fields = fields
        self.moment = time
        self.clock = {name: rule for rule in self.form.time for name in rule.of}
        self.written: set[str] = set()

    def compose(self, place: str) -> str | None:
        """The text of a place (a field, or the whole line); None where nothing is known of it."""
        if place in self.fields:
            return self.fields[place]
        if place in self.clock:
            return next(_write_times(self.clock[place], place, self.moment))
        steps = [step for step in self.form.read if step.of == place]
        loose = [s for s in steps if isinstance(s, PairStep | JsonStep)]
        bound = [s for s in steps if not isinstance(s, PairStep | JsonStep)]
        pieces = [self._compose_step(step) for step in (*bound, *loose)]
        between = next((s.rule.between[0] for s in loose if isinstance(s, PairStep)), " ")
        return between.join(filter(None, pieces)) or None

    def _compose_step(self, step: Step) -> str:
        match step:
            case MatchStep(patterns):
                return self._match(patterns)
            case ValueStep(rule):
                return self._delimit(rule)
            case PairStep(rule, only=only):
                pairs = self._list_loose(only)
                return rule.between[0].join(
                    f"{n}{rule.assign}{self._quote(n, t, rule.quote)}" for n, t in pairs
                )
        return self.writer.nest(dict(self._list_loose(None)))

    def _match(self, patterns: Iterable[str]) -> str:
        """A text of the pattern that has the most of the fields."""
        found: list[tuple[int, str, dict[str, str]]] = []
        for pattern in patterns:
            composed = {name: self.compose(name) for name in find_groups(pattern)}
            known = {name: text for name, text in composed.items() if text is not None}
            found.append((len(known), pattern, known))
        count, pattern, known = max(found, key=lambda each: each[0])
        if not count:
            return ""
        self.written |= set(find_groups(pattern))
        for texts in _vary_times(known, self.clock, self.moment):
            for example in make_examples(pattern, texts):
                if _gives(pattern, example, texts):
                    return example
        return next(make_examples(pattern, known), "")

    def _delimit(self, rule: DelimitedRule) -> str:
        values: list[str] = []
        for name in rule.names:
            text = self.fields.get(name, "")
            if not text and name in self.clock:
                times = [*_write_times(self.clock[name], name, self.moment)]
                text = times[-1]
            if rule.quote and (rule.by in text or rule.quote in text):
                text = rule.quote + text.replace(rule.quote, rule.quote * 2) + rule.quote
            values.append(text or ("" if rule.quote else "-"))
        self.written |= set(rule.names)
        return rule.by.join(values)

    def _list_loose(self, only: str | None) -> Iterator[tuple[str, str]]:
        """The fields that stand nowhere else, and the texts that steps read further."""
        places = {step.of for step in self.form.read} - {WHOLE}
        names = dict.fromkeys([*self.writer.order, *self.fields, *sorted(places)])
        inside = {n for s in self.form.read if s.of != WHOLE for n in _names_of(s)}
        for name in names:
            if name in self.written or name in inside:
                continue
            if only is not None and not re.fullmatch(only, name):
                continue
            text = self.fields.get(name)
            if text is None and (name in places or name in self.clock):
                text = self.compose(name)
            if text is not None:
                yield name, text

    def _quote(self, name: str, text: str, quote: str) -> str:
        """A value as it stands in a pair; what a program chose is written in hexadecimal digits if
        it has blanks or quotes (auparse, "untrusted strings")."""
        if self._is_chosen(name):
            return f'"{text}"' if _PLAIN.fullmatch(text) else text.encode().hex().upper()
        return text if re.fullmatch(r"[\w.:/()@-]+", text) else f"{quote}{text}{quote}"

    def _is_chosen(self, name: str) -> bool:
        return any(
            re.fullmatch(rule.fields, name)
            and all(self.fields.get(n) in texts for n, texts in rule.when.items())
            for rule in self.form.hex
        )


def name_part(rule: JoinRule, number: int) -> str:
    """The field that is the part of a number, of those that are read as one.

    >>> name_part(JoinRule("line", r"a\\d+", " ", {}), 2)
    'a2'
    """
    return re.sub(r"\d+", str(number), next(make_examples(rule.fields)))


def _names_of(step: Step) -> Sequence[str]:
    match step:
        case MatchStep(patterns):
            return [name for pattern in patterns for name in find_groups(pattern)]
        case ValueStep(rule):
            return [name for name in rule.names if name]
    return ()


def _write_times(rule: TimeRule, name: str, time: float) -> Iterator[str]:
    """A time as a rule reads it, in several ways where it takes any."""
    at = datetime.fromtimestamp(time, UTC)
    if rule.form is not None:
        fraction = f".{at.microsecond:06d}"
        whole = at.strftime(rule.form.replace("%.f", fraction).replace("%f", f"{at:%f}"))
        parts = whole.split(" ") if len(rule.of) > 1 else [whole]
        yield parts[rule.of.index(name)] if len(parts) == len(rule.of) else whole
        return
    yield at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    yield f"{at:%Y-%m-%d %H:%M:%S},{at.microsecond // 1000:03d}"
    yield f"{at:%Y-%m-%d %H:%M:%S}"
    yield f"{time:.3f}"
    yield str(int(time))


def _vary_times(
    known: Mapping[str, str], clock: Mapping[str, TimeRule], time: float
) -> Iterator[Mapping[str, str]]:
    """The texts of groups with the time in each way that it may be written."""
    name = next((n for n in known if n in clock), None)
    if name is None:
        yield known
        return
    for text in _write_times(clock[name], name, time):
        yield {**known, name: text}


def find_group(pattern: str, name: str) -> str:
    """What stands in a named group of a pattern.

    >>> find_group(r"user=(?P<user>[^)]+(?:x)?) from", "user")
    '[^)]+(?:x)?'
    """
    begin = pattern.index(f"(?P<{name}>") + len(name) + 5
    depth, at, in_class = 1, begin, False
    while depth:
        character = pattern[at]
        if character == "\\":
            at += 1
        elif in_class:
            in_class = character != "]"
        elif character == "[":
            in_class = True
            at += pattern[at + 1 : at + 3] == "^]" or pattern[at + 1] == "]"
        else:
            depth += (character == "(") - (character == ")")
        at += 1
    return pattern[begin : at - 1]


def _gives(pattern: str, text: str, groups: Mapping[str, str]) -> bool:
    """Whether a pattern finds these groups in a text."""
    read = _read_groups(pattern, text)
    return read is not None and all(read[name] == wanted for name, wanted in groups.items())


def _read_groups(pattern: str, text: str) -> Mapping[str, str | None] | None:
    """What a pattern finds in a text, by the names of its groups; None where it does not."""
    try:
        found = compile_pattern(pattern).search(text)
    except UnknownValueError:
        return None
    if found is None:
        return None
    return {name: found[number] for name, number in translate(pattern).names().items()}
