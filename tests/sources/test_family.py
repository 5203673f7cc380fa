from __future__ import annotations

from typing import Any

import pytest

from escudo.core.errors import EscudoError
from escudo.sources.family import parse_family
from escudo.spl.lowering.lower_eval import compile_eval
from tests.families import FAMILIES
from tests.shared_data import SHARED, needs_shared
from tests.yaml_file import read_yaml

MINIMAL = """\
name: x
title: X
priority: 1
recognise: [{a: b}]
time: [t]
host: [h]
source: s
sourcetype: st
index: main
fields: [f, F, {name: m, type: multivalue}]
calculated: {c: f}
"""


def test_a_family_from_its_text() -> None:
    family = parse_family(MINIMAL, "x.yml")
    names = {c.name: c.physical for c in family.schema.columns}
    assert (names["f"], names["F"], names["c"]) == ("f", "F__1", None)
    assert family.schema.by_name["c"].expr == "f"
    assert list(family.declared) == ["f", "F", "m"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("title: X\n", ""), "key 'title' is missing"),
        (("name: x", "naem: x"), "unknown key 'naem'"),
        (("fields: [f,", "fields: [_time,"), "'_time' is a column of every raw table"),
        (("calculated: {c:", "calculated: {f:"), "'f' is defined twice"),
        (("type: multivalue", "type: blob"), "'blob' is not a valid FieldType"),
        (("name: x", "name: X y"), "1:7: name 'X y' is not made of"),
        (("name: x", "name: [x]"), "1:7: 'name' needs a text here"),
        (("priority: 1", "priority: high"), "3:11: 'priority' needs a whole number"),
        (("[{a: b}]", "{a: b}"), "4:12: 'recognise' needs a list"),
        (("[{a: b}]", "[a]"), "4:13: 'recognise' needs a list of mappings"),
        (("[{a: b}]", "[{a: [b, {}]}]"), "4:21: 'recognise' needs a text here"),
        (("time: [t]", "time: t"), "5:7: 'time' needs a list"),
        (("host: [h]", "host: [[h]]"), "6:8: 'host' needs a text here"),
        (("name: m, type", "nam: m, type"), "10:16: a field is a name, or a mapping"),
        (("calculated: {c: f}", "calculated: [c]"), "11:13: 'calculated' needs a mapping"),
        (("fields: [f, F,", "fields: [f, f,"), "10:13: field 'f' is defined twice"),
    ],
)
def test_a_wrong_definition_names_its_file(change: tuple[str, str], message: str) -> None:
    with pytest.raises(EscudoError, match=r"SRC050.*x\.yml") as error:
        parse_family(MINIMAL.replace(*change), "x.yml")
    assert message in str(error.value)


CALCULATED = [
    (family.name, column.name, column.expr)
    for family in FAMILIES.values()
    for column in family.schema.columns
    if column.expr is not None
]


@pytest.mark.parametrize(("family", "name", "expr"), CALCULATED, ids=lambda v: str(v)[:40])
def test_calculated_fields_compile(family: str, name: str, expr: str) -> None:
    compile_eval(expr, FAMILIES[family].schema)


# Which of ESCU's data sources are which family; their fields are what raw searches expect.
DATA_SOURCES = {
    "sysmon_eventid_": "sysmon",
    "sysmon_for_linux_": "sysmon_linux",
    "windows_event_log_security_": "windows_security",
    "powershell_script_block_logging_4104": "windows_powershell",
    "windows_event_log_system_": "windows_other",
    "windows_event_log_application_": "windows_other",
    "windows_event_log_capi2_": "windows_other",
    "windows_event_log_certificateservicesclient_": "windows_other",
    "windows_event_log_taskscheduler_": "windows_other",
    "windows_event_log_remoteconnectionmanager_": "windows_other",
    "crowdstrike_": "crowdstrike_fdr",
}
# Fields of the classic, rendered text of an event, which XML does not have: they are there where a
# shipper adds the message.
RENDERED = {"Message", "body", "CategoryString", "SidType"}
# Event data of 4662, 4663, 4738 to 4742 and 4887 by the event descriptions, which the example
# logs of ESCU happen to lack.
EVENT_DATA = {
    "AdditionalInfo", "Disposition", "DnsHostName", "LogonHours", "ResourceAttributes",
    "ServicePrincipalNames", "SidHistory", "Subject", "SubjectKeyIdentifier", "UserParameters",
}  # fmt: skip


@needs_shared
def test_every_field_that_content_expects_has_a_source() -> None:
    """Declared, calculated, or by construction: a name in the example log goes to the rest map."""
    assert SHARED is not None
    missing: dict[str, list[str]] = {}
    seen = 0
    for path in sorted((SHARED / "security_content" / "data_sources").glob("*.yml")):
        prefix = next((p for p in DATA_SOURCES if path.name.startswith(p)), None)
        if prefix is None:
            continue
        seen += 1
        family = FAMILIES[DATA_SOURCES[prefix]]
        known = set(family.schema.by_name) | set(family.definition.values.get("absent") or ())
        source: dict[str, Any] = read_yaml(path)
        log = source.get("example_log") or ""
        for field in source.get("fields") or ():
            by_construction = f"Name='{field}'" in log or f"<{field}>" in log or f'"{field}"' in log
            by_construction = by_construction or f" {field}='" in log
            by_construction = by_construction or field in RENDERED | EVENT_DATA
            if field not in known and not by_construction:
                missing.setdefault(path.stem, []).append(field)
    assert seen > 60
    assert missing == {}
