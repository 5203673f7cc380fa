"""Assets and identities: what of a list is whose, and how lines of lists are merged.

Splunk ES, "Asset and identity lookup header and field reference" and its page on how the lists are
merged: several values with `|` between them, networks and ranges of addresses, keys without regard
to case, one entry of lines that share a key.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from escudo.cim.entity_lists import EntityLists, build_assets, build_identities, read_lists
from escudo.cim.models import load
from escudo.core.errors import EscudoError
from escudo.lake.tables import load_tables

ASSETS = [
    {"ip": "192.0.2.7", "nt_host": "PC7", "dns": "pc7.corp.example", "priority": "high"},
    {"ip": "192.0.2.7|192.0.2.8", "category": "pci|windows", "priority": "low", "bunit": "sales"},
    {"ip": "198.51.100.0/24", "category": "dmz"},
    {"ip": "198.51.100.128/25", "category": "dmz-high"},
    {"ip": "203.0.113.10-203.0.113.19", "category": "printers"},
    {"ip": "2001:db8::/32", "category": "v6"},
    {"mac": "00:25:BC:42:F4:60", "category": "phone"},
    {"ip": "not an address/9", "category": "odd"},
    {"owner": "nobody", "category": "without a key"},
]


@pytest.mark.parametrize(
    ("name", "category", "priority"),
    [
        ("192.0.2.7", ("pci", "windows"), ("high",)),
        ("pc7", ("pci", "windows"), ("high",)),  # by way of the address of both lines
        ("PC7.corp.EXAMPLE", ("pci", "windows"), ("high",)),
        ("192.0.2.8", ("pci", "windows"), ("high",)),
        ("198.51.100.7", ("dmz",), None),
        ("198.51.100.200", ("dmz-high",), None),  # the smaller network
        ("203.0.113.10", ("printers",), None),
        ("203.0.113.19", ("printers",), None),
        ("2001:db8:0:1::7", ("v6",), None),
        ("::ffff:198.51.100.7", ("dmz",), None),
        ("00:25:bc:42:f4:60", ("phone",), None),
    ],
)
def test_an_asset(name: str, category: tuple[str, ...], priority: tuple[str, ...] | None) -> None:
    entry = build_assets(ASSETS).find(name)
    assert entry is not None
    assert (entry["category"], entry.get("priority")) == (category, priority)


@pytest.mark.parametrize("name", ["203.0.113.20", "unknown", "pc7.other", "2001:db9::1", ""])
def test_no_asset(name: str) -> None:
    assert build_assets(ASSETS).find(name) is None


def test_who_has_left_is_found() -> None:
    """Splunk ES's rule "Activity from Expired User Identity" asks events for a user_endDate that is
    past, so its lookup of identities gives those, too."""
    known = build_identities([{"identity": "ida", "endDate": "01/31/2020 17:00", "bunit": "hr"}])
    entry = known.find("ida")
    assert entry is not None
    assert (entry["bunit"], entry["endDate"]) == (("hr",), ("01/31/2020 17:00",))


def test_identities() -> None:
    known = build_identities(
        [
            {"identity": "ida|ida.admin", "email": "i.a@corp.example", "category": "privileged"},
            {"identity": "IDA", "category": "intern|privileged", "priority": "critical"},
            {"identity": "corp\\eve", "priority": "low"},
            {"email": "no.identity@corp.example", "priority": "low"},
        ]
    )
    for name in ("ida", "IDA.ADMIN", "i.a@corp.example", "i.a", "CORP\\ida"):
        entry = known.find(name)
        assert entry is not None, name
        assert entry["category"] == ("privileged", "intern")
        assert entry["priority"] == ("critical",)
    assert known.find("CORP\\eve") is not None
    assert known.find("eve") is None
    assert known.find("no.identity") is None


def test_rows_are_filled_where_they_are_empty() -> None:
    traffic = load().find("Network_Traffic", "All_Traffic")
    assert traffic is not None
    rows = pa.Table.from_pylist(
        [
            {"src": "198.51.100.7", "dest": "192.0.2.7", "user": "corp\\ida"},
            {"src": "unknown", "dest": "192.0.2.7", "dest_priority": "as the event says"},
            {"src": None, "dest": None, "user": None},
        ],
        schema=traffic.schema.arrow(),
    )
    lists = EntityLists(
        build_assets(ASSETS), build_identities([{"identity": "ida", "bunit": "it"}])
    )
    filled = lists.fill(traffic, rows)
    assert filled.schema == rows.schema
    names = ["src_category", "dest_category", "dest_priority", "dest_bunit", "user_bunit"]
    assert filled.select(names).to_pylist() == [
        dict(zip(names, row, strict=True))
        for row in (
            [["dmz"], ["pci", "windows"], "high", "sales", "it"],
            [None, ["pci", "windows"], "as the event says", "sales", None],
            [None, None, None, None, None],
        )
    ]


def test_files_of_folders(tmp_path: Path) -> None:
    assert read_lists([tmp_path]) is None
    assert load_tables().models.lists is None  # type: ignore[attr-defined]
    (tmp_path / "assets.csv").write_text("\ufeffip,category\n192.0.2.7,b\n", "utf-8")
    (tmp_path / "a_assets.csv").write_text("nt_host,ip,category\npc7,192.0.2.7,a\n", "utf-8")
    lists = read_lists([tmp_path])
    assert lists is not None
    entry = lists.assets.find("pc7")
    assert entry is not None
    assert set(entry["category"]) == {"a", "b"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("assets.csv", b"address,category\n1,2\n"),
        ("identities.csv", b""),
        ("identities.csv", b"identity\n\xff\xfe\n"),
        ("assets.csv", b'ip,"category\n' + b"x" * 200_000),
    ],
)
def test_what_is_no_list(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(EscudoError) as caught:
        load_tables([tmp_path])
    assert caught.value.code == "CIM020"
    assert name in str(caught.value.diagnostic.span)
