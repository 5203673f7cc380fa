"""The text of a Splunk .conf file -> stanzas of settings with their lines; ``app_layer`` calls it.

Facts: Admin Manual, "How to edit a configuration file". A stanza begins with ``[name]``, a setting
is ``key = value``; a backslash at the end of a line continues the value on the next; a line that
begins with ``#`` is a comment. Settings before the first stanza, and those of ``[default]``, are
for all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from escudo.core.errors import Diagnostic, Severity, Span

GLOBAL = "default"
_STANZA = re.compile(r"\[(?P<name>.*)\]\s*\Z")


@dataclass(frozen=True, slots=True)
class Setting:
    """The value of a key, and where it stands."""

    value: str
    span: Span


@dataclass(slots=True)
class Conf:
    """A file's stanzas by name, and what in it is no setting."""

    stanzas: dict[str, dict[str, Setting]] = field(default_factory=dict)
    problems: list[Diagnostic] = field(default_factory=list)

    def settings(self, stanza: str) -> Mapping[str, Setting]:
        """Those of a stanza, over those that are for all."""
        return {**self.stanzas.get(GLOBAL, {}), **self.stanzas.get(stanza, {})}

    def names(self) -> tuple[str, ...]:
        """The stanzas but the one that is for all."""
        return tuple(name for name in self.stanzas if name != GLOBAL)


def read_conf(file: str, text: str) -> Conf:
    r"""The stanzas of a text; of a key that occurs twice the last counts.

    >>> conf = read_conf("a.conf", "[one]\nsearch = index=a \\\n| head 1\n# note\nodd\n")
    >>> conf.settings("one")["search"].value
    'index=a \n| head 1'
    >>> [f"{d.span} {d.message}" for d in conf.problems]
    ["a.conf:5:1 'odd' is neither a stanza nor a setting"]
    """
    conf = Conf()
    stanza = conf.stanzas.setdefault(GLOBAL, {})
    lines = iter(enumerate(text.splitlines(), 1))
    for number, line in lines:
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        named = _STANZA.match(bare)
        if named is not None:
            stanza = conf.stanzas.setdefault(named["name"].strip(), {})
            continue
        parts = [line]
        while parts[-1].endswith("\\"):
            parts[-1] = parts[-1][:-1]
            following = next(lines, None)
            if following is None:
                break
            parts.append(following[1])
        key, equals, value = "\n".join(parts).partition("=")
        span = Span(file, number, 1, number, len(line) + 1)
        if not equals:
            shown = f"{bare[:40]!r} is neither a stanza nor a setting"
            conf.problems.append(Diagnostic("CON220", shown, Severity.WARNING, span, source=text))
            continue
        stanza[key.strip()] = Setting(value.strip(), span)
    return conf


def layer_confs(under: Conf, over: Conf) -> Conf:
    """The settings of one file (``default``) with those of another over them (``local``)."""
    out = Conf(problems=[*under.problems, *over.problems])
    for conf in (under, over):
        for name, settings in conf.stanzas.items():
            out.stanzas.setdefault(name, {}).update(settings)
    return out
