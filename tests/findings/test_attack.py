from __future__ import annotations

import pytest

from escudo import content
from escudo.findings.attack import find_techniques, load_techniques
from tests.shared_data import SHARED, needs_shared


@pytest.mark.parametrize(
    ("identity", "name", "tactics"),
    [
        ("T1047", "Windows Management Instrumentation", ["execution"]),
        ("T1003.001", "LSASS Memory", ["credential-access"]),
        ("T1053.005", "Scheduled Task", ["execution", "persistence", "privilege-escalation"]),
        (
            "T1078",
            "Valid Accounts",
            ["defense-evasion", "persistence", "privilege-escalation", "initial-access"],
        ),
        ("T1218.011", "Rundll32", ["defense-evasion"]),
        ("T1566.001", "Spearphishing Attachment", ["initial-access"]),
    ],
)
def test_names_and_tactics(identity: str, name: str, tactics: list[str]) -> None:
    found = load_techniques()[identity]
    assert (found.name, [t.short for t in found.tactics]) == (name, tactics)


def test_ids_are_in_order_and_sub_techniques_have_their_technique() -> None:
    ids = list(load_techniques())
    assert ids == sorted(ids)
    assert {i.split(".")[0] for i in ids} <= set(ids)


def test_unknown_techniques_are_told_and_take_their_parents_tactics() -> None:
    found, missing = find_techniques(["T1047", "T1059.099", "T9999"])
    assert missing == ["T1059.099", "T9999"]
    assert [(t.id, [x.short for x in t.tactics]) for t in found] == [
        ("T1047", ["execution"]),
        ("T1059.099", ["execution"]),
    ]


@pytest.mark.slow
@needs_shared
def test_every_technique_of_the_real_content_is_known() -> None:
    assert SHARED is not None
    used = {
        i
        for d in content.load([SHARED / "security_content"]).detections
        for i in d.tags.mitre_attack_id
    }
    assert len(used) == 276
    assert used <= set(load_techniques())
