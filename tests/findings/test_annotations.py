from __future__ import annotations

from dataclasses import replace

import pytest

from escudo.findings.annotations import annotate
from tests.findings.matches import detection


@pytest.mark.parametrize(
    ("domain", "kind", "cis", "nist"),
    [
        ("endpoint", "TTP", "CIS 10", "DE.CM"),
        ("network", "Anomaly", "CIS 13", "DE.AE"),
    ],
)
def test_what_is_derived(domain: str, kind: str, cis: str, nist: str) -> None:
    base = detection(type=kind)
    found = annotate(replace(base, tags=replace(base.tags, security_domain=domain)))
    assert found.values["cis20"] == (cis,)
    assert found.values["nist"] == (nist,)
    assert found.values["kill_chain_phases"] == ("Installation",)


def test_what_the_yaml_says_is_kept() -> None:
    base = detection()
    tags = replace(base.tags, cis20=("CIS 3",), nist=("PR.PT",), kill_chain_phases=("X",))
    found = annotate(replace(base, tags=tags))
    assert found.fields["annotations.cis20"] == ("CIS 3",)
    assert {"CIS 3", "PR.PT", "X"} <= set(found.fields["annotations._all"])


def test_without_techniques() -> None:
    base = detection()
    found = annotate(replace(base, tags=replace(base.tags, mitre_attack_id=())))
    assert not [f for f in found.fields if "mitre" in f]
