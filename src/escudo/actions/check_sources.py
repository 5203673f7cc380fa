"""Descriptions of data sources with an example log each -> how many are recognised, and which of
the fields that they list a search finds; called by ``escudo source check``.

The examples are read as a test's data is: each from a file of its own, with the source and the
source type that its description has.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from escudo.actions.workspace import EngineOf
from escudo.content import Content
from escudo.content.elements.data_source import DataSource
from escudo.core.catalog import Knowledge
from escudo.core.errors import Diagnostic
from escudo.core.schema import TableSchema
from escudo.core.timerange import TimeRange
from escudo.engines.execute import run_compiled
from escudo.lake.event_ids import put_column
from escudo.lake.ingest_source import read_steps
from escudo.lake.labels import Labels, open_labels
from escudo.lake.tables import Tables
from escudo.sources import Families
from escudo.sources.date_order import DateOrder
from escudo.sources.inventory import Inventory
from escudo.sources.opening import open_logs
from escudo.sources.raw_batch import RawBatch
from escudo.spl.compile import compile_search

SPLUNKS_OWN = frozenset(
    {
        *("_bkt", "_cd", "_eventtype_color", "_indextime", "_pre_msg", "_raw", "_serial", "_si"),
        *(
            "_sourcetype",
            "_subsecond",
            "_time",
            "eventtype",
            "host",
            "index",
            "linecount",
            "product",
        ),
        *("punct", "source", "sourcetype", "splunk_server", "splunk_server_group", "tag"),
        *("tag::eventtype", "tag::action", "tag::app", "tag::object_category", "timeendpos"),
        *("timestartpos", "unix_category", "unix_group", "vendor", "dest_asset_id"),
    }
)
"""Fields that Splunk has of an event whatever it says: its place on disk, its tags, its source."""

_TIME_ALONE = re.compile(r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d [AP]M")
_TEMPLATE = re.compile(r"[{}$]")


@dataclass(frozen=True, slots=True)
class MissingField:
    """A field that a description lists and no search finds in its example."""

    source: str
    field: str


@dataclass(frozen=True, kw_only=True)
class SourceCheck:
    """What became of the examples.

    ``sources`` are all descriptions; of those ``with_example`` some are ``cut`` (not whole, as they
    were published) and some ``unread`` (whole, but no source of Escudo knows them). ``listed`` and
    ``produced`` count the fields of those that were recognised; ``empty`` are listed besides, and
    have no value in the example: null or empty text, of which Splunk makes the text ``null``.
    """

    sources: int
    with_example: int
    recognised: Sequence[str]
    unread: Sequence[str]
    cut: Sequence[str]
    listed: int
    empty: int
    missing: Sequence[MissingField]
    families: Mapping[str, str] = field(default_factory=dict)

    @property
    def produced(self) -> int:
        """The fields that are listed and found."""
        return self.listed - len(self.missing)

    def to_dict(self) -> dict[str, Any]:
        """The check for machines."""
        return {
            "sources": self.sources,
            "with_example": self.with_example,
            "recognised": len(self.recognised),
            "fields_listed": self.listed,
            "fields_produced": self.produced,
            "fields_empty": self.empty,
            "missing": [{"source": m.source, "field": m.field} for m in self.missing],
            "unread": list(self.unread),
            "cut_upstream": list(self.cut),
        }


def check_sources(content: Content, tables: Tables, engine_of: EngineOf) -> SourceCheck:
    """Reads the example of each data source of some content.

    Fields that Splunk has of every event (``SPLUNKS_OWN``) are not counted. An example that is not
    whole gives no event, or lacks what was cut: its fields are not counted either.
    """
    every = content.data_sources
    given = [source for source in every if source.example_log.strip()]
    cut = [source.name for source in given if is_cut(source.example_log)]
    with tempfile.TemporaryDirectory(prefix="escudo-examples-") as name:
        folder = Path(name)
        files = {source.name: path for source, path in _write_examples(given, folder)}
        labels = {str(files[source.name]): _find_labels(source) for source in given}
        read = _read_examples(labels, tables.families)
        found = _find_fields(
            read,
            _write_tables(read, folder),
            tables.families,
            engine_of=engine_of,
            knowledge=content.knowledge,
        )
    fallback = tables.families.fallback.name
    recognised: list[str] = []
    unread: list[str] = []
    missing: list[MissingField] = []
    families: dict[str, str] = {}
    listed = empty = 0
    for source in given:
        family, fields = found.get(str(files[source.name]), ("", frozenset()))
        families[source.name] = family
        if source.name in cut:
            continue
        if family in ("", fallback):
            unread.append(source.name)
            continue
        recognised.append(source.name)
        wanted = [n for n in dict.fromkeys(source.fields) if n not in SPLUNKS_OWN]
        lacking = [name for name in wanted if name not in fields]
        valueless = find_empty(source.example_log).intersection(lacking)
        listed += len(wanted) - len(valueless)
        empty += len(valueless)
        missing += [MissingField(source.name, name) for name in lacking if name not in valueless]
    return SourceCheck(
        sources=len(every),
        with_example=len(given),
        recognised=recognised,
        unread=unread,
        cut=cut,
        listed=listed,
        empty=empty,
        missing=missing,
        families=families,
    )


def is_cut(example: str) -> bool:
    """Whether an example is the beginning of something only: JSON or XML that does not end, a time
    without anything behind it.

    >>> is_cut('{"a": 1}'), is_cut('{"a": "b'), is_cut("<Event><System>"), is_cut("a=b")
    (False, True, True, False)
    >>> is_cut("10/09/2020 10:41:26 AM")
    True
    """
    text = example.strip()
    if _TIME_ALONE.fullmatch(text):
        return True
    if text.startswith("{"):
        try:
            json.loads(text.splitlines()[0] if text.splitlines()[0].endswith("}") else text)
        except json.JSONDecodeError as error:
            return error.pos >= len(text) - 1 or error.msg.startswith("Unterminated")
    return text.startswith("<Event") and "</Event>" not in text


def find_empty(example: str) -> frozenset[str]:
    """The paths of a JSON object that have no value: null, or empty text.

    >>> sorted(find_empty('{"a": null, "b": {"c": ""}, "d": [{"e": null, "f": 1}]}'))
    ['a', 'b.c', 'd{}.e']
    """
    try:
        value = json.loads(example)
    except json.JSONDecodeError:
        return frozenset()
    return frozenset(path for path, leaf in _walk(value, "") if leaf in (None, ""))


def _walk(value: object, path: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _walk(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for inner in value:
            yield from _walk(inner, f"{path}{{}}")
    else:
        yield path, value


def _write_examples(
    sources: Iterable[DataSource], folder: Path
) -> Iterator[tuple[DataSource, Path]]:
    for number, source in enumerate(sources):
        path = folder / f"{number}.log"
        path.write_text(source.example_log.strip() + "\n", encoding="utf-8")
        yield source, path


def _find_labels(source: DataSource) -> Labels:
    """What a description says of an event; where it is a pattern, it says nothing."""
    source_, sourcetype = (
        None if not text or _TEMPLATE.search(text) else text
        for text in (source.source, source.sourcetype)
    )
    return Labels(source=source_, sourcetype=sourcetype)


def _read_examples(labels: Mapping[str, Labels], families: Families) -> Mapping[str, pa.Table]:
    """Family -> its events of all files, as they would come into a lake."""
    read: dict[str, list[pa.Table]] = defaultdict(list)
    for name, own in labels.items():
        given = families.claim(own.source, own.sourcetype)
        for stream in open_logs([name], judge=families.judge_with(given)):
            if isinstance(stream, Diagnostic):
                continue
            for step in read_steps(stream, families, DateOrder.MDY, Inventory, given=given):
                if isinstance(step, RawBatch):
                    read[step.family.name].append(own.put(step.table))
    return {name: pa.concat_tables(some) for name, some in read.items()}


def _write_tables(read: Mapping[str, pa.Table], folder: Path) -> Mapping[str, str]:
    """Table -> a file of its events, with ids of their own."""
    files: dict[str, str] = {}
    for name, events in read.items():
        files[f"raw_{name}"] = path = str(folder / f"{name}.parquet")
        ids = pa.array(range(events.num_rows), pa.int64())
        pq.write_table(put_column(events, "_event_id", ids), path)
    return files


def _find_fields(
    read: Mapping[str, pa.Table],
    files: Mapping[str, str],
    families: Families,
    *,
    engine_of: EngineOf,
    knowledge: Knowledge,
) -> Mapping[str, tuple[str, Set[str]]]:
    """File -> the family of its events, and the fields that a search finds in them."""
    found: dict[str, tuple[str, Set[str]]] = {}
    for name in read:
        [schema] = open_labels([families[name].schema])
        catalog = _OneTable(schema, files[schema.table])
        engine = engine_of(catalog)
        compiled = compile_search(
            "search index=* | eval read_from=source_file",
            catalog,
            knowledge,
            now=0.0,
            runner=engine,
        )
        for row in run_compiled(compiled, engine).to_pylist():
            fields = {field for field, value in row.items() if value not in (None, [])}
            known = found.get(row["read_from"])
            found[row["read_from"]] = (name, fields | (known[1] if known else set()))
    return found


@dataclass(frozen=True)
class _OneTable:
    """A catalog of one table of raw events, which is one file."""

    schema: TableSchema
    path: str

    def dataset(self, model: str, dataset: str | None) -> TableSchema | None:
        return None

    def datasets(self) -> Sequence[tuple[str, str]]:
        return ()

    def raw_tables(self) -> Sequence[TableSchema]:
        return (self.schema,)

    def files(self, table: str, within: TimeRange) -> tuple[str, ...]:
        return (self.path,) if table == self.schema.table else ()
