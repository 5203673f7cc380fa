"""Events -> the processes around them, ancestors and descendants on the same host; called by who
shows a hit.

They come from ``Endpoint.Processes``, one query a level, each bounded by host and time. A process
is joined to its parent by GUID where the sensor gives one; else by process id, host and time: the
parent is the last process with that id that started before the child.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp

from escudo.core.catalog import Catalog
from escudo.core.errors import EscudoError
from escudo.core.schema import TableSchema
from escudo.core.timerange import TimeRange, iso_utc
from escudo.engines.execute import Engine
from escudo.spl import Scan

FIELDS = (
    "_time",
    "_event_id",
    "dest",
    "user",
    "process_guid",
    "parent_process_guid",
    "process_id",
    "parent_process_id",
    "process_name",
    "process",
    "parent_process_name",
    "parent_process",
)

_AROUND = 24 * 3600.0
_SAME_START = 2.0
"""Two records of a start with the same id, this close (in seconds), are one process."""

_UNKNOWN = frozenset({"", "unknown", "-"})


@dataclass(frozen=True)
class Process:
    """One start of a process. ``recorded`` is False for a parent that only its child tells of."""

    time: float
    dest: str
    user: str
    guid: str | None
    parent_guid: str | None
    pid: int | None
    parent_pid: int | None
    name: str
    command: str
    parent_name: str
    parent_command: str
    event_id: int | None
    recorded: bool = True


@dataclass
class Node:
    """A process with its children, earliest first."""

    process: Process
    hit: bool = False
    children: list[Node] = field(default_factory=list)

    def walk(self, depth: int = 0) -> Iterator[tuple[int, Node]]:
        """The node and all below it, each with its depth."""
        yield depth, self
        for child in self.children:
            yield from child.walk(depth + 1)

    def lines(self, prefix: str = "", head: str = "") -> Iterator[str]:
        """The tree as text, one process a line; hits are marked with ``*``."""
        mark = "* " if self.hit else ""
        yield f"{prefix}{head}{mark}{_shown(self.process)}"
        below = prefix + ("" if not head else "│  " if head == "├─ " else "   ")
        for i, child in enumerate(self.children):
            yield from child.lines(below, "└─ " if i == len(self.children) - 1 else "├─ ")


@dataclass(frozen=True)
class Tree:
    """``root`` is the highest ancestor known; ``truncated`` says that there was more."""

    root: Node
    truncated: bool

    def __str__(self) -> str:
        return "\n".join(self.root.lines())


def _shown(process: Process) -> str:
    pid = "" if process.pid is None else f" [{process.pid}]"
    command = process.command if process.command.lower() not in _UNKNOWN else ""
    return f"{process.name}{pid}" + (f"  {command}" if command else "")


def grow_trees(
    event_ids: Sequence[int],
    engine: Engine,
    catalog: Catalog,
    *,
    within: TimeRange,
    up: int = 8,
    down: int = 4,
    limit: int = 200,
) -> list[Tree]:
    """The trees around the processes that some events record: one for each top ancestor.

    Args:
        event_ids: ids of events, such as a match's row has; those that record no process start are
            left out.
        within: where the events are looked for; the tree reaches a day before and after them.
        up, down: levels of ancestors and descendants.
        limit: the most descendants of a hit.

    Raises:
        EscudoError: FND103 where the catalog has no ``Endpoint.Processes``.
    """
    store = _open_store(engine, catalog, within)
    hits = store.find(_any_of(store.column("_event_id"), event_ids, string=False))
    return _grow_around(hits, store, up=up, down=down, limit=limit)


def grow_trees_of(
    host: str | None,
    engine: Engine,
    catalog: Catalog,
    *,
    within: TimeRange,
    pid: int | None = None,
    guid: str | None = None,
    up: int = 8,
    down: int = 4,
    limit: int = 200,
) -> list[Tree]:
    """The trees around the processes of a host that have an id, or a GUID; see ``grow_trees``.

    A process id is used again, so there may be several. A host is named without regard to case,
    with or without its domain; a GUID with or without braces.

    Raises:
        EscudoError: FND103 where the catalog has no ``Endpoint.Processes``.
    """
    store = _open_store(engine, catalog, within)
    asked: list[exp.Expr] = []
    if host is not None:
        asked.append(store.names_host(host))
    if pid is not None:
        asked.append(_any_of(store.column("process_id"), _spellings([pid])))
    if guid is not None:
        bare = guid.strip().strip("{}").lower()
        known = exp.Lower(this=store.column("process_guid"))
        asked.append(_any_of(known, [bare, f"{{{bare}}}"]))
    return _grow_around(store.find(*asked), store, up=up, down=down, limit=limit)


def _open_store(engine: Engine, catalog: Catalog, within: TimeRange) -> _Store:
    schema = catalog.dataset("Endpoint", "Processes")
    if schema is None:
        raise EscudoError("FND103", "there is no data model Endpoint.Processes")
    return _Store(engine, schema, within)


def _grow_around(
    processes: Sequence[Process], store: _Store, *, up: int, down: int, limit: int
) -> list[Tree]:
    trees: list[Tree] = []
    for hit in _merged(processes):
        if any(_mark(tree.root, hit) for tree in trees):
            continue
        near = store.narrowed(TimeRange(hit.time - _AROUND, hit.time + _AROUND))
        node = Node(hit, hit=True)
        truncated = _grow(node, near, down, limit)
        trees.append(Tree(_ancestry(node, near, up), truncated))
    return trees


def _mark(node: Node, hit: Process) -> bool:
    """Mark a process of a tree as a hit, if it is there."""
    if _same(node.process, hit):
        node.hit = True
        return True
    return any(_mark(child, hit) for child in node.children)


def _ancestry(node: Node, store: _Store, levels: int) -> Node:
    top = node
    for _ in range(levels):
        parent = _parent(top.process, store)
        if parent is None:
            break
        top = Node(parent, children=[top])
        if not parent.recorded:
            break
    return top


def _parent(child: Process, store: _Store) -> Process | None:
    candidates = store.find(store.on(child.dest), store.parents_of([child]))
    parent = _parent_among(child, candidates)
    if parent is not None:
        return parent
    if child.parent_name.lower() in _UNKNOWN:
        return None
    return Process(
        time=child.time,
        dest=child.dest,
        user="",
        guid=child.parent_guid,
        parent_guid=None,
        pid=child.parent_pid,
        parent_pid=None,
        name=child.parent_name,
        command=child.parent_command,
        parent_name="",
        parent_command="",
        event_id=None,
        recorded=False,
    )


def _parent_among(child: Process, candidates: Iterable[Process]) -> Process | None:
    """The parent of a process: by GUID, or the last with its parent's id that started before."""
    before = [p for p in candidates if p.time <= child.time and not _same(p, child)]
    if child.parent_guid is not None:
        exact = [p for p in before if p.guid == child.parent_guid]
        if exact:
            return exact[-1]
    if child.parent_pid is None:
        return None
    same_id = [
        p
        for p in before
        if p.pid == child.parent_pid and (p.guid is None or child.parent_guid is None)
    ]
    return max(same_id, key=lambda p: p.time, default=None)


def _grow(node: Node, store: _Store, levels: int, limit: int) -> bool:
    """Add descendants level by level; True where the limit cut some off."""
    frontier = [node]
    count = 0
    for _ in range(levels):
        if not frontier:
            break
        parents = [n.process for n in frontier]
        rows = store.find(store.on(node.process.dest), store.family_of(parents))
        next_frontier: list[Node] = []
        for row in _merged(rows):
            parent = _parent_among(row, [*parents, *(r for r in rows if r is not row)])
            owner = next((n for n in frontier if parent and _same(n.process, parent)), None)
            if owner is None:
                continue
            if count == limit:
                return True
            count += 1
            owner.children.append(Node(row))
            next_frontier.append(owner.children[-1])
        frontier = next_frontier
    return False


def _merged(processes: Iterable[Process]) -> list[Process]:
    """Records of the same start as one, by time; a record with a GUID is preferred."""
    out: list[Process] = []
    for process in sorted(processes, key=lambda p: (p.time, p.guid is None)):
        twin = next((i for i, p in enumerate(out) if _same(p, process)), None)
        if twin is None:
            out.append(process)
        elif out[twin].guid is None and process.guid is not None:
            out[twin] = process
    return out


def _same(a: Process, b: Process) -> bool:
    if a.guid is not None and b.guid is not None:
        return a.guid == b.guid
    return (
        a.dest == b.dest
        and a.pid is not None
        and a.pid == b.pid
        and a.name.lower() == b.name.lower()
        and abs(a.time - b.time) <= _SAME_START
    )


@dataclass(frozen=True)
class _Store:
    """Queries on the process table."""

    engine: Engine
    schema: TableSchema
    within: TimeRange

    def narrowed(self, within: TimeRange) -> _Store:
        return _Store(self.engine, self.schema, within)

    def column(self, name: str) -> exp.Expr:
        return exp.column(self._physical(name), quoted=True)

    def on(self, dest: str) -> exp.Expr:
        return exp.EQ(this=self.column("dest"), expression=exp.Literal.string(dest))

    def names_host(self, name: str) -> exp.Expr:
        """The condition that ``dest`` is a host, with or without its domain."""
        wanted = name.strip().lower()
        dest = exp.Lower(this=self.column("dest"))
        label = exp.StartsWith(this=dest.copy(), expression=exp.Literal.string(f"{wanted}."))
        return exp.or_(exp.EQ(this=dest, expression=exp.Literal.string(wanted)), label)

    def parents_of(self, processes: Sequence[Process]) -> exp.Expr:
        return exp.or_(
            _any_of(self.column("process_guid"), _known(p.parent_guid for p in processes)),
            _any_of(self.column("process_id"), _spellings(p.parent_pid for p in processes)),
        )

    def family_of(self, processes: Sequence[Process]) -> exp.Expr:
        """Children of some processes, and later users of their ids."""
        ids = _spellings(p.pid for p in processes)
        return exp.or_(
            _any_of(self.column("parent_process_guid"), _known(p.guid for p in processes)),
            _any_of(self.column("parent_process_id"), ids),
            _any_of(self.column("process_id"), ids),
        )

    def find(self, *conditions: exp.Expr) -> list[Process]:
        """The processes that fulfil conditions, by time."""
        scan = Scan("processes_0", self.schema, self.within)
        scan.columns.update((name, self.schema.by_name[name]) for name in FIELDS)
        moment = self.column("_time")
        query = exp.select(*(exp.alias_(self.column(n), n, quoted=True) for n in FIELDS)).from_(
            exp.to_table(scan.name, quoted=True)
        )
        query = query.where(*conditions, *self._in_window(moment)).order_by(moment.copy())
        return [_process(row) for row in self._rows(query, scan)]

    def _rows(self, query: exp.Select, scan: Scan) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.engine.run(query, [scan], {}).to_pylist()
        return rows

    def _in_window(self, moment: exp.Expr) -> list[exp.Expr]:
        out: list[exp.Expr] = []
        if self.within.earliest is not None:
            out.append(exp.GTE(this=moment.copy(), expression=_moment(self.within.earliest)))
        if self.within.latest is not None:
            out.append(exp.LT(this=moment.copy(), expression=_moment(self.within.latest)))
        return out

    def _physical(self, name: str) -> str:
        physical = self.schema.by_name[name].physical
        if physical is None:
            raise EscudoError("FND103", f"Endpoint.Processes does not store {name}")
        return physical


def _moment(seconds: float) -> exp.Expr:
    return exp.cast(exp.Literal.string(f"{iso_utc(seconds)[:-1]}+00:00"), "timestamptz")


def _any_of(column: exp.Expr, values: Iterable[object], *, string: bool = True) -> exp.Expr:
    make = exp.Literal.string if string else exp.Literal.number
    literals = [make(str(v)) for v in values]
    return exp.In(this=column, expressions=literals) if literals else exp.false()


def _known(values: Iterable[str | None]) -> list[str]:
    return sorted({v for v in values if v is not None})


def _spellings(ids: Iterable[int | None]) -> list[str]:
    """Process ids as logs write them: decimal (Sysmon) and hexadecimal (Security log)."""
    return [text for i in sorted({i for i in ids if i is not None}) for text in (str(i), hex(i))]


def _process(row: Mapping[str, Any]) -> Process:
    return Process(
        time=row["_time"].timestamp() if row["_time"] is not None else 0.0,
        dest=_text(row, "dest"),
        user=_text(row, "user"),
        guid=_optional(row, "process_guid"),
        parent_guid=_optional(row, "parent_process_guid"),
        pid=_number(row, "process_id"),
        parent_pid=_number(row, "parent_process_id"),
        name=_text(row, "process_name"),
        command=_text(row, "process"),
        parent_name=_text(row, "parent_process_name"),
        parent_command=_text(row, "parent_process"),
        event_id=row["_event_id"],
    )


def _text(row: Mapping[str, Any], name: str) -> str:
    return str(row[name] or "")


def _optional(row: Mapping[str, Any], name: str) -> str | None:
    text = _text(row, name)
    return None if text.lower() in _UNKNOWN else text


def _number(row: Mapping[str, Any], name: str) -> int | None:
    text = _text(row, name).removesuffix(".0")
    try:
        return int(text, 0)
    except ValueError:
        return None
