"""Nothing in the text of a search is dropped on its way into the tree.

The text is taken apart here by a scanner of its own, which knows only macros, quotes, brackets and
pipes. The commands it sees must be those of the parsed pipeline, in order; every word and operator
of the text must be in the canonical text of the tree, except an option that is given its default,
which the command must then hold; and options that both sides know by name must have equal values.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass

import pytest

from escudo import content
from escudo.actions.content_searches import list_searches
from escudo.core.catalog import Knowledge
from escudo.spl.binding.binder import Command
from escudo.spl.commands import COMMANDS
from escudo.spl.macros import expand
from escudo.spl.parse import parse
from escudo.spl.syntax.ast import Pipeline
from tests.shared_data import needs_shared

pytestmark = [needs_shared, pytest.mark.slow]

QUOTED = r'"(?:[^"\\]|\\.)*"'
MARKS = re.compile(rf"(?P<plain>{QUOTED}|\\.)|(?P<comment>```.*?```)|`(?P<call>[^`]*)`", re.DOTALL)
STRUCTURE = re.compile(rf"{QUOTED}|(?P<mark>[\[\]|])|\\.", re.DOTALL)
ATOM = re.compile(r"[a-z0-9_]+|[*!<>%+/-]")
NUMBER = re.compile(r"(?<![\w.])(?:\d*\.\d+(?:e-?\d+)?|\d+e-?\d+)(?![\w.])")
OPTION = re.compile(r"""(?<![\w.'"])(\w+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s",()\[\]|]+)""")
FILLERS = ("and", "search", "as", "by", "from", "field")
"""Words of the grammar that the canonical text may do without."""

SAME_NAME = re.compile(r"(?<![\w.{}])([\w.{}]+|\"[^\"]+\")\s+as\s+\1(?![\w.{])", re.IGNORECASE)
"""``x AS x`` renames nothing."""

OTHER_NAMES = {
    "bucket": "bin",
    "distinct_count": "dc",
    "groupby": "by",
    "kv": "extract",
    "outer": "left",
    "p50": "perc50",
    "rm": "remove",
}
"""The canonical text has one name for each thing."""


ATTRIBUTES = {"type": "kind"}
"""Options whose value is held under another name."""

TEMPLATES = ("foreach",)
"""Commands whose brackets hold text that is read once for each field, not a search."""


@dataclass
class Seen:
    """A command as the scanner sees it: its text without what is in brackets, whether a pipe
    stands before it, whether it is a template."""

    text: str = ""
    piped: bool = False
    template: bool = False

    @property
    def word(self) -> str:
        found = re.match(r"\s*(\w+)", self.text)
        return found[1].lower() if found else ""

    @property
    def name(self) -> str:
        return self.word if self.piped or self.word in COMMANDS else "search"


def spelled_out(text: str, knowledge: Knowledge) -> str:
    """The text without comments, with every macro's definition in its place."""

    def replaced(found: re.Match[str]) -> str:
        if found["plain"]:
            return found[0]
        if found["comment"]:
            return " "
        name, _, rest = found["call"].strip().partition("(")
        values = arguments(rest.strip().removesuffix(")")) if rest else []
        macro = knowledge.macro(name.strip(), len(values))
        assert macro is not None, found[0]
        assert not macro.is_eval
        definition = macro.definition
        for parameter, value in zip(macro.arguments, values, strict=True):
            definition = definition.replace(f"${parameter}$", value)
        return spelled_out(definition, knowledge)

    return MARKS.sub(replaced, text)


def arguments(text: str) -> list[str]:
    """The arguments of a macro call, quotes removed."""
    parts = re.findall(rf"\s*({QUOTED}|[^,]+)\s*(?:,|$)", text)
    return [p[1:-1] if p.startswith('"') else p.strip() for p in parts]


def scanned(text: str) -> list[Seen]:
    """All commands of a text, those in brackets after the one that holds them."""
    current, at = Seen(), 0
    out, stack = [current], list[Seen]()
    for found in STRUCTURE.finditer(text):
        current.text += text[at : found.start()]
        at = found.end()
        if found["mark"] == "[":
            stack.append(current)
            current = Seen(template=current.template or current.word in TEMPLATES)
            if not current.template:
                out.append(current)
        elif found["mark"] == "]":
            current = stack.pop()
        elif found["mark"] == "|" and not current.template:
            if current.piped or current.text.strip():
                current = Seen()
                out.append(current)
            current.piped = True
        else:
            current.text += found[0]
    current.text += text[at:]
    return out


def flattened(node: object) -> Iterator[Command]:
    """All commands of a tree, those of subsearches after the one that holds them."""
    if isinstance(node, Command):
        yield node
    if is_dataclass(node) and not isinstance(node, type):
        for f in fields(node):
            if f.name != "span":
                yield from flattened(getattr(node, f.name))
    elif isinstance(node, tuple):
        for member in node:
            yield from flattened(member)


def atoms(text: str) -> Counter[str]:
    numbers = NUMBER.sub(lambda found: repr(float(found[0])), text.lower())
    return Counter(OTHER_NAMES.get(a, a) for a in ATOM.findall(numbers))


def same(given: str, held: object) -> bool:
    """Whether an option's text means the value that the command holds."""
    text = given[1:-1] if given.startswith('"') else given
    if isinstance(held, bool):
        return text.lower() in (("t", "true", "1", "yes") if held else ("f", "false", "0", "no"))
    if isinstance(held, int | float):
        return float(text) == held
    return str(held).lower() == text.lower()


def dropped(text: str, tree: Pipeline) -> list[str]:
    """What is in the text and not in the tree."""
    seen, commands = scanned(text), list(flattened(tree))
    names = [COMMANDS[s.name].name for s in seen]
    if names != [c.name for c in commands]:
        return [f"commands {names}, tree {[c.name for c in commands]}"]
    left = atoms(SAME_NAME.sub(r"\1", text)) - atoms(SAME_NAME.sub(r"\1", tree.format()))
    for word in FILLERS:
        del left[word]
    for one, command in zip(seen, commands, strict=True):
        for name, value in OPTION.findall(one.text):
            attribute = ATTRIBUTES.get(name.lower(), name.lower())
            if attribute in {f.name for f in fields(command)}:
                held = getattr(command, attribute)
                if same(value, held):
                    left -= atoms(name) + atoms(value)
        if command.name == "regex":
            left -= atoms("_raw")
    return sorted(left.elements())


def test_all_commands_words_and_options_are_in_the_tree(upstream: content.Content) -> None:
    found: dict[str, list[str]] = {}
    for search in list_searches(upstream, now=0.0):
        text = spelled_out(search.text, upstream.knowledge)
        tree = parse(expand(search.text, upstream.knowledge))
        missing = dropped(text, tree)
        if missing:
            found[search.name] = missing
    assert found == {}
