from __future__ import annotations

from escudo.content import DetectionTest
from escudo.content.elements.detection import ExpectedRisk
from escudo.findings.expectations import check_risk_events
from tests.findings.matches import match, schemas


def problems(*expected: ExpectedRisk) -> list[str]:
    test = DetectionTest("t", (), risk_events=expected)
    found = check_risk_events(match({"dest": ["a", "a"]}), test, schemas().risk)
    return [d.message.split(": ", 1)[1].split(" with ")[0] for d in found]


def test_what_is_missing_superfluous_or_different() -> None:
    right = ExpectedRisk("a", "system", 49, "on a", 2)
    assert problems() == []
    assert problems(right) == []
    assert problems(ExpectedRisk("a", "system", 49, "on a")) == ["2 risk events"]
    assert sorted(problems(ExpectedRisk("a", "user", 49, "on a", 2))) == [
        "0 risk events",
        "2 risk events",
    ]
    assert problems(right, ExpectedRisk("b", "system", 49, "on b")) == ["0 risk events"]
