"""Templates and the rows that fill them -> columns of text, a template at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from escudo.generate.catalog import Catalog
from escudo.generate.columns import Bytes, Ints, dashed, fixed, hex_digits, joined, numbers
from escudo.generate.templates import Placeholder, Template
from escudo.generate.world import Escape, SessionTexts, World


@dataclass(frozen=True)
class Rows:
    """What placeholders may refer to, one entry a row."""

    host: Ints
    session: Ints
    pid: Ints
    parent_pid: Ints
    image: pl.Series
    target: Ints
    """The other host of an action (-1: any server)."""

    def take(self, index: Ints) -> Rows:
        return Rows(
            self.host[index],
            self.session[index],
            self.pid[index],
            self.parent_pid[index],
            self.image.gather(index),
            self.target[index],
        )


class Renderer:
    """Templates and pools with their text escaped for one output format."""

    def __init__(self, world: World, escape: Escape) -> None:
        catalog: Catalog = world.catalog
        self._templates: list[Template] = [
            tuple(escape(p) if isinstance(p, str) else p for p in template)
            for template in catalog.templates
        ]
        self._literal = np.array(
            [not any(isinstance(p, Placeholder) for p in t) for t in self._templates]
        )
        self._literals = pl.Series(
            [
                "".join(p for p in t if isinstance(p, str)) if literal else ""
                for t, literal in zip(self._templates, self._literal, strict=True)
            ]
        )
        self._pools = {
            name: pl.Series([escape(t) for t in texts]) for name, texts in catalog.texts.items()
        }
        self._hosts = pl.Series([escape(name) for name in world.hosts.name])
        self._servers = world.hosts.servers
        self._controllers = world.hosts.of_role("dc")

    def render(
        self,
        templates: Ints,
        rows: Rows,
        sessions: SessionTexts,
        lsass: Ints,
        rng: np.random.Generator,
    ) -> pl.Series:
        """The text of template ``templates[i]`` for row i. ``lsass``: process id a host."""
        if self._literal[templates].all():
            return self._literals.gather(templates)
        order = np.argsort(templates, kind="stable")
        bounds = np.flatnonzero(np.diff(templates[order])) + 1
        groups = np.split(order, bounds)
        texts: list[pl.Series] = []
        for group in groups:
            template = self._templates[templates[group[0]]]
            part = rows.take(group)
            texts.append(self._group(template, part, sessions, lsass, rng))
        back = np.empty(len(order), np.int64)
        back[order] = np.arange(len(order))
        return pl.concat(texts).gather(back)

    def _group(
        self,
        template: Template,
        rows: Rows,
        sessions: SessionTexts,
        lsass: Ints,
        rng: np.random.Generator,
    ) -> pl.Series:
        parts: Sequence[str | pl.Series] = [
            part if isinstance(part, str) else self._value(part, rows, sessions, lsass, rng)
            for part in template
        ]
        return joined(parts, len(rows.host))

    def _value(
        self,
        placeholder: Placeholder,
        rows: Rows,
        sessions: SessionTexts,
        lsass: Ints,
        rng: np.random.Generator,
    ) -> pl.Series:
        count = len(rows.host)
        match placeholder:
            case Placeholder("image"):
                return rows.image
            case Placeholder("home"):
                return sessions.home.gather(rows.session)
            case Placeholder("user"):
                return sessions.account.gather(rows.session)
            case Placeholder("sid"):
                return sessions.sid.gather(rows.session)
            case Placeholder("host"):
                return self._hosts.gather(rows.host)
            case Placeholder("pid"):
                return numbers(rows.pid)
            case Placeholder("ppid"):
                return numbers(rows.parent_pid)
            case Placeholder("lsass"):
                return numbers(lsass[rows.host])
            case Placeholder("server"):
                return self._hosts.gather(rng.choice(self._servers, count))
            case Placeholder("dc"):
                return self._hosts.gather(rng.choice(self._controllers, count))
            case Placeholder("target"):
                other = rng.choice(self._servers, count)
                return self._hosts.gather(np.where(rows.target < 0, other, rows.target))
            case Placeholder("guid"):
                return fixed(dashed(hex_digits(_bytes(rng, count, 16))))
            case Placeholder("n", (low, high)):
                return numbers(rng.integers(int(low), int(high), count, endpoint=True))
            case Placeholder("hex" | "HEX" as name, (width,)):
                digits = int(width)
                data = _bytes(rng, count, (digits + 1) // 2)
                return fixed(hex_digits(data, upper=name == "HEX")[:, :digits])
            case Placeholder("pool", (pool,)):
                texts = self._pools[pool]
                return texts.gather(rng.integers(0, len(texts), count))
        raise AssertionError(f"no rule for {placeholder}")


def _bytes(rng: np.random.Generator, rows: int, width: int) -> Bytes:
    return rng.integers(0, 256, (rows, width), dtype=np.uint8)
