"""Source families -> the page that says how each is recognised, and which fields it has.

Called by ``docs.build``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from docs.markdown import GENERATED, anchor, cell, code, code_or_dash, grid, page, table

from escudo.core.schema import Column, FieldType
from escudo.sources import Family

CATALOG = "src/escudo/sources/catalog"
_NAMES_IN_A_LINE = 5
_LONGEST_EXPRESSION = 160


def sources(families: Mapping[str, Family]) -> str:
    """Every family: how it is recognised, what it is called, its fields and data models."""
    common = _common_fields(families.values())
    out = [
        "# Sources",
        "",
        GENERATED,
        "",
        "Escudo finds the format of a log by its content. It reads EVTX, event XML, JSON lines,",
        "JSON arrays and CrowdStrike FDR, each plain, gz, zst or zip, in folders, or from standard",
        "input. The family of an event is the first in this table whose rule holds. Other JSON and",
        "other Windows events fall to the last families. Each family is one YAML file in",
        f"`{CATALOG}/`. [cim.md](cim.md) shows how its fields become those of the data models.",
        "",
    ]
    rows = (
        [
            f"[{family.title}](#{anchor(family.title)})",
            code(family.name),
            code_or_dash(family.sourcetype),
            ", ".join(code(d) for d in _datasets(family)) or "-",
        ]
        for family in families.values()
    )
    out += table(["source", "family", "sourcetype", "data models"], rows)
    out += [
        "",
        "A field with a column of its own is stored as text, or as a list of texts. Every other",
        "field of an event is kept, too, and is found by its name. A field that is computed at",
        "search time is an SPL expression over the others.",
        "",
        "## Fields of every source",
        "",
        *table(["field", "expression"], ([code(c.name), _expression(c)] for c in common)),
    ]
    for family in families.values():
        out += ["", *_family(family, common)]
    return page(out)


def _common_fields(families: Iterable[Family]) -> Sequence[Column]:
    """Fields that all families compute in the same way."""
    all_families = list(families)
    counts = Counter((c.name, c.expr) for f in all_families for c in _computed(f))
    return [c for c in _computed(all_families[0]) if counts[c.name, c.expr] == len(all_families)]


def _computed(family: Family) -> Iterator[Column]:
    return (c for c in family.schema.columns if c.expr is not None)


def _datasets(family: Family) -> list[str]:
    rows = family.definition.get("datasets", ())
    return list(dict.fromkeys(f"{row['model']}.{row['dataset']}" for row in rows))


def _family(family: Family, common: Sequence[Column]) -> Iterator[str]:
    yield f"## {family.title}"
    yield ""
    rules = [_rule(rule.conditions) for rule in family.rules]
    yield from table(
        ["", ""],
        [
            ["family, table", f"{code(family.name)}, {code(family.schema.table)}"],
            ["`source`", code_or_dash(family.source)],
            ["`sourcetype`", code_or_dash(family.sourcetype)],
            ["`index`", code_or_dash(family.index)],
            *(["recognised when" if n == 0 else "or when", rule] for n, rule in enumerate(rules)),
            ["time from", ", ".join(map(code, family.time)) or "the reader"],
            ["host from", ", ".join(map(code, family.host)) or "the reader"],
        ],
    )
    if family.declared:
        yield ""
        yield "Fields with a column:"
        yield ""
        yield from _names(list(family.declared.values()))
    shared = {(c.name, c.expr) for c in common}
    own = [c for c in _computed(family) if (c.name, c.expr) not in shared]
    if own:
        yield ""
        yield "Fields computed at search time:"
        yield ""
        yield from table(["field", "expression"], ([code(c.name), _expression(c)] for c in own))


def _rule(conditions: Iterable[tuple[str, Iterable[str]]]) -> str:
    """The conditions of a rule in words; ``*`` asks that the field is there."""
    texts = []
    for name, values in conditions:
        wanted = " or ".join(code(value) for value in sorted(values))
        texts.append(f"{code(name)} is {'there' if wanted == code('*') else wanted}")
    return " and ".join(texts)


def _names(columns: Sequence[Column]) -> list[str]:
    """Names side by side; a list of texts is marked."""
    names = [code(c.name) + (" (list)" if c.type is FieldType.MULTIVALUE else "") for c in columns]
    return grid(names, _NAMES_IN_A_LINE)


def _expression(column: Column) -> str:
    """The SPL of a field; a long one is only to be read where it stands."""
    text = column.expr or ""
    return (
        code(text) if len(text) <= _LONGEST_EXPRESSION else cell("a longer one, in the YAML file")
    )
