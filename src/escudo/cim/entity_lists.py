"""A user's lists of assets and identities -> ``dest_category``, ``user_priority``, ``src_bunit``
and their like in rows of data models; ``normalise`` calls it.

The lists are CSV files as Splunk Enterprise Security has them ("Asset and identity lookup header
and field reference"): ``assets.csv`` with any of the keys ``ip``, ``mac``, ``nt_host`` and ``dns``,
``identities.csv`` with ``identity``, each of which may hold several values with ``|`` between them.
Lines that share a key are merged: lists of values are joined, of single values the first counts.
``startDate`` and ``endDate`` of an identity are no condition: Splunk ES finds those who have left,
too, and its rule "Activity from Expired User Identity" compares their ``user_endDate`` itself.
A row of a data model has what the lists said when it was made.
"""

from __future__ import annotations

import csv
import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from escudo.cim.models import Dataset
from escudo.core.errors import EscudoError, Span
from escudo.core.schema import FieldType

Entry = Mapping[str, tuple[str, ...]]
"""Column of a list -> its values."""
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_ASSET_KEYS = ("ip", "mac", "nt_host", "dns")
_SEVERAL = frozenset({*_ASSET_KEYS, "category", "pci_domain", "identity"})
"""Columns whose values are a list."""
_IDENTITIES = frozenset({"user", "src_user", "recipient"})
"""Fields that name people; the others that are enriched name assets."""


@dataclass(frozen=True)
class EntityList:
    """Entries by their keys in lower case, and by ranges of addresses.

    Attributes:
        ranges: length of a network's prefix, longest first -> number of the network -> its entry.
        spans: first and last address, and the entry, of ranges that are no network.
    """

    keys: Mapping[str, Entry] = field(default_factory=dict)
    ranges: Mapping[tuple[int, int], Mapping[int, Entry]] = field(default_factory=dict)
    spans: Sequence[tuple[_Address, _Address, Entry]] = ()

    def find(self, name: str) -> Entry | None:
        """The entry of a name, an address or ``DOMAIN\\\\name``.

        >>> known = build_assets([{"ip": "192.0.2.7|198.51.100.0/24", "category": "server|pci"}])
        >>> known.find("198.51.100.9")["category"], known.find("203.0.113.1")
        (('server', 'pci'), None)
        """
        wanted = name.lower()
        if (entry := self.keys.get(wanted)) is not None:
            return entry
        if "\\" in wanted:
            return self.keys.get(wanted.rpartition("\\")[2])
        return self._find_address(wanted) if self.ranges or self.spans else None

    def _find_address(self, text: str) -> Entry | None:
        try:
            address = ipaddress.ip_address(text.removeprefix("::ffff:"))
        except ValueError:
            return None
        for (version, length), networks in self.ranges.items():
            if version == address.version:
                network = int(address) >> (address.max_prefixlen - length)
                if (entry := networks.get(network)) is not None:
                    return entry
        for first, last, entry in self.spans:
            if first.version == address.version and int(first) <= int(address) <= int(last):
                return entry
        return None


@dataclass(frozen=True)
class EntityLists:
    """The assets and the identities that are known."""

    assets: EntityList = EntityList()
    identities: EntityList = EntityList()

    def fill(self, dataset: Dataset, rows: pa.Table) -> pa.Table:
        """Rows of a dataset with what the lists say of whom they name, where they say nothing."""
        for name in dataset.by_name:
            known = self.identities if name in _IDENTITIES else self.assets
            about = [f for f in dataset.fields if f.name.startswith(f"{name}_")]
            if not any(f.name == f"{name}_priority" for f in about):
                continue
            if not (known.keys or known.ranges or known.spans):
                continue
            physical = {c.name: c.physical for c in dataset.schema.columns}
            found = _Found.among(known, rows[physical[name]])
            for each in about:
                column = physical[each.name]
                if column is None or not found.entries:
                    continue
                values = found.values(each.name.removeprefix(f"{name}_"), each.type)
                if values is not None:
                    place = rows.schema.get_field_index(column)
                    filled = pc.coalesce(rows[column].combine_chunks(), values)
                    rows = rows.set_column(place, rows.schema.field(place), filled)
        return rows


@dataclass(frozen=True)
class _Found:
    """The entries of a column's names; ``numbers`` are those of the rows' entries."""

    entries: Sequence[Entry]
    numbers: pa.Array

    @classmethod
    def among(cls, known: EntityList, names: pa.ChunkedArray) -> _Found:
        column = names.combine_chunks()
        if pa.types.is_list(column.type):
            column = pc.list_element(
                pc.if_else(pc.equal(pc.list_value_length(column), 0), None, column), 0
            )
        encoded = column.dictionary_encode()
        entries: list[Entry] = []
        numbers: list[int | None] = []
        for name in encoded.dictionary.to_pylist():
            entry = None if name is None else known.find(name)
            numbers.append(None if entry is None else len(entries))
            if entry is not None:
                entries.append(entry)
        return cls(entries, pa.array(numbers, pa.int32()).take(encoded.indices))

    def values(self, name: str, kind: FieldType) -> pa.Array | None:
        """What the entries say under a name, row by row; None where none of them says anything."""
        said = [entry.get(name) for entry in self.entries]
        if not any(said):
            return None
        if kind is FieldType.MULTIVALUE:
            column = pa.array([None if s is None else list(s) for s in said], pa.list_(pa.string()))
        else:
            column = pa.array([None if s is None else s[0] for s in said], pa.string())
        return column.take(self.numbers)


def build_assets(lines: Iterable[Mapping[str, str]]) -> EntityList:
    """The assets of lines of lists: by names, addresses and ranges of these."""
    return _build(lines, _ASSET_KEYS)


def build_identities(lines: Iterable[Mapping[str, str]]) -> EntityList:
    """The identities of lines of lists: by their names, and by their mail addresses, also without
    the domain.

    >>> known = build_identities([{"identity": "ida|ida.adm", "email": "i.a@corp.example"}])
    >>> [known.find(n) is not None for n in ("IDA", "CORP\\\\ida", "i.a", "eve")]
    [True, True, True, False]
    """
    return _build(lines, ("identity",), _mail_names)


def _mail_names(entry: Entry) -> Iterator[str]:
    for address in entry.get("email", ()):
        yield address
        yield address.partition("@")[0]


def _build(
    lines: Iterable[Mapping[str, str]],
    columns: Sequence[str],
    names: Callable[[Entry], Iterable[str]] = lambda entry: (),
) -> EntityList:
    entries = [e for e in map(_read_entry, lines) if any(e.get(c) for c in columns)]
    keys: dict[str, Entry] = {}
    ranges: dict[tuple[int, int], dict[int, Entry]] = {}
    spans: list[tuple[_Address, _Address, Entry]] = []
    for entry in _merge(entries, columns):
        for column in columns:
            for value in entry.get(column, ()):
                span = _read_range(value) if column == "ip" else None
                if span is None:
                    keys.setdefault(value.lower(), entry)
                elif isinstance(span, tuple):
                    spans.append((*span, entry))
                else:
                    number = int(span.network_address) >> (span.max_prefixlen - span.prefixlen)
                    same = ranges.setdefault((span.version, span.prefixlen), {})
                    same.setdefault(number, entry)
        for name in names(entry):
            keys.setdefault(name.lower(), entry)
    longest_first = dict(sorted(ranges.items(), key=lambda item: -item[0][1]))
    spans.sort(key=lambda span: int(span[1]) - int(span[0]))
    return EntityList(keys, longest_first, tuple(spans))


def _read_entry(line: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    entry = {}
    for name, text in line.items():
        parts = text.split("|") if name in _SEVERAL else [text]
        values = tuple(v for part in parts if (v := part.strip()))
        if values:
            entry[name] = values
    return entry


def _merge(entries: Sequence[Entry], columns: Sequence[str]) -> list[Entry]:
    """Entries that share a key as one, in the order of the lists."""
    group = list(range(len(entries)))

    def root(number: int) -> int:
        while group[number] != number:
            group[number] = group[group[number]]
            number = group[number]
        return number

    owners: dict[tuple[str, str], int] = {}
    for number, entry in enumerate(entries):
        for column in columns:
            for value in entry.get(column, ()):
                other = root(owners.setdefault((column, value.lower()), number))
                mine = root(number)
                group[max(other, mine)] = min(other, mine)
    merged: dict[int, dict[str, tuple[str, ...]]] = {}
    for number, entry in enumerate(entries):
        whole = merged.setdefault(root(number), {})
        for name, values in entry.items():
            if name in _SEVERAL:
                whole[name] = tuple(dict.fromkeys((*whole.get(name, ()), *values)))
            else:
                whole.setdefault(name, values)
    return list(merged.values())


def _read_range(
    text: str,
) -> ipaddress.IPv4Network | ipaddress.IPv6Network | tuple[_Address, _Address] | None:
    """``198.51.100.0/24``, or ``192.0.2.1-192.0.2.9``; None for one address."""
    try:
        if "/" in text:
            return ipaddress.ip_network(text, strict=False)
        first, dash, last = text.partition("-")
        if dash:
            return ipaddress.ip_address(first.strip()), ipaddress.ip_address(last.strip())
    except ValueError:
        return None
    return None


def read_lists(folders: Sequence[Path]) -> EntityLists | None:
    """The lists in some folders: ``assets.csv`` and ``*_assets.csv``, ``identities.csv`` and
    ``*_identities.csv``, in the order of their names; None without any.

    Raises:
        EscudoError: CIM020 for a file that cannot be read or has no key.
    """
    assets = _read_files(folders, "assets", _ASSET_KEYS)
    identities = _read_files(folders, "identities", ("identity",))
    if assets is None and identities is None:
        return None
    return EntityLists(build_assets(assets or ()), build_identities(identities or ()))


def _read_files(
    folders: Sequence[Path], name: str, keys: Sequence[str]
) -> list[dict[str, str]] | None:
    lines: list[dict[str, str]] | None = None
    for folder in folders:
        for path in sorted([*folder.glob(f"{name}.csv"), *folder.glob(f"*_{name}.csv")]):
            lines = [*(lines or ()), *_read_lines(path, keys)]
    return lines


def _read_lines(path: Path, keys: Sequence[str]) -> list[dict[str, str]]:
    place = Span(str(path), 1, 1, 1, 2)
    try:
        with path.open(encoding="utf-8-sig", newline="") as opened:
            reader = csv.DictReader(opened, restval="")
            names = {name.strip() for name in reader.fieldnames or ()}
            if not names & set(keys):
                message = f"none of the columns {', '.join(keys)}"
                raise EscudoError("CIM020", message, span=place)
            return [
                {str(n).strip(): v for n, v in row.items() if isinstance(v, str)} for row in reader
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise EscudoError("CIM020", " ".join(str(error).split()), span=place) from error
