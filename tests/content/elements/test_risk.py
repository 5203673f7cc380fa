from __future__ import annotations

import pytest

from escudo.content import RiskConfig, RiskObject, ThreatObject
from escudo.content.elements.common import Origin
from escudo.content.elements.detection import read_detection
from escudo.content.reading import Section, read_document

HEAD = "name: N\nid: i\ntype: TTP\nsearch: x\n"

EXPECTED = RiskConfig(
    "m $dest$",
    (RiskObject("dest", "system", 42), RiskObject("user", "user", 42)),
    (ThreatObject("src", "ip_address"),),
)

OBSERVABLES = """\
tags:
  message: m $dest$
  risk_score: 42
  observable:
  - {name: dest, type: Hostname, role: [Victim]}
  - {name: user, type: User Name, role: [Victim]}
  - {name: src, type: IP Address, role: [Attacker]}
"""

RBA = """\
rba:
  message: m $dest$
  risk_objects:
  - {field: dest, type: system, score: 42}
  - {field: user, type: user, score: 42}
  threat_objects:
  - {field: src, type: ip_address}
"""

INTERMEDIATE = """\
intermediate_findings:
  entities:
  - {field: dest, type: system, score: 42, message: m $dest$}
  - {field: user, type: user, score: 42}
threat_objects:
- {field: src, type: ip_address}
"""


def read(text: str) -> tuple[RiskConfig | None, list[str]]:
    node, problems = read_document("f.yml", HEAD + text)
    assert node is not None
    found = read_detection(Section(node, problems), Origin("f.yml", "t"), "ESCU")
    return found.risk, [f"{d.code} {d.span}" for d in problems.found]


def test_observables_and_rba_give_the_same() -> None:
    assert read(OBSERVABLES) == (EXPECTED, [])
    assert read(RBA) == (EXPECTED, [])


def test_intermediate_findings_give_the_same_and_keep_their_messages() -> None:
    found, problems = read(INTERMEDIATE)
    assert problems == []
    assert found is not None
    assert found.message == "m $dest$"
    assert [(o.field, o.type, o.score) for o in found.risk_objects] == [
        ("dest", "system", 42),
        ("user", "user", 42),
    ]
    assert found.risk_objects[0].message == "m $dest$"
    assert found.threat_objects == EXPECTED.threat_objects


def test_finding_has_a_title_and_its_entity_gains_risk() -> None:
    found, problems = read(
        "finding:\n  title: t on $dest$\n  entity: {field: dest, type: system, score: 50}\n"
    )
    assert problems == []
    assert found == RiskConfig(
        "t on $dest$",
        (RiskObject("dest", "system", 50, "t on $dest$"),),
        (),
        "t on $dest$",
        RiskObject("dest", "system", 50),
    )


def test_the_risk_of_a_findings_entity_has_the_title_as_its_message() -> None:
    found, problems = read(
        "finding:\n  title: t on $dest$\n  entity: {field: dest, type: system, score: 50}\n"
        "intermediate_findings:\n  entities:\n"
        "  - {field: user, type: user, score: 42, message: m of $user$}\n"
    )
    assert problems == []
    assert found is not None
    assert [(o.field, o.message) for o in found.risk_objects] == [
        ("user", "m of $user$"),
        ("dest", "t on $dest$"),
    ]


@pytest.mark.parametrize(
    ("kind", "role", "risk", "threat"),
    [
        ("Hostname", "Victim", "system", None),
        ("User", "Victim", "user", None),
        ("User Name", "Victim", "user", None),
        ("Endpoint", "Victim", "system", None),
        ("IP Address", "Victim", "system", None),
        ("Device", "Victim", "system", None),
        ("Email Address", "Victim", "user", None),
        ("Process", "Attacker", None, "process"),
        ("File Name", "Attacker", None, "file_name"),
        ("URL String", "Attacker", None, "url"),
        ("Geo Location", "Attacker", None, "geo_location"),
        ("Process", "Target", None, None),
    ],
)
def test_observable_types_and_roles(
    kind: str, role: str, risk: str | None, threat: str | None
) -> None:
    found, _ = read(
        "tags:\n  message: m\n  risk_score: 1\n  observable:\n"
        f"  - {{name: f, type: {kind}, role: [{role}]}}\n"
    )
    assert found is not None
    assert [o.type for o in found.risk_objects] == [risk] * (risk is not None)
    assert [o.type for o in found.threat_objects] == [threat] * (threat is not None)


@pytest.mark.parametrize(
    ("tags", "score"),
    [("  risk_score: 25.0\n", 25), ("  impact: 70\n  confidence: 70\n", 49), ("", 0)],
)
def test_score(tags: str, score: int) -> None:
    text = "tags:\n  message: m\n  observable:\n  - {name: f, type: User, role: [Victim]}\n"
    found, problems = read(text + tags)
    assert problems == []
    assert found is not None
    assert found.score == score


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (RBA.replace("system", "machine"), "CON104 f.yml:8:25"),
        (RBA.replace("score: 42}", "score: 420}", 1), "CON102 f.yml:8:40"),
        (RBA.replace("field: src, ", ""), "CON103 f.yml:11:5"),
        (RBA.replace("$dest$", "$dest"), "CON204 f.yml:6:12"),
        (OBSERVABLES.replace("42", "42\n  impact: 50\n  confidence: 50"), "CON203 f.yml:7:15"),
    ],
)
def test_problems_have_a_place(text: str, problem: str) -> None:
    assert read(text)[1] == [problem]
