from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from escudo import content
from escudo.content import DetectionTest
from escudo.content.elements.detection import AttackData
from escudo.detect.testing import find_data, judge_rows, run_tests
from escudo.engines.duckdb.duckdb_engine import DuckDBEngine
from escudo.findings.expectations import check_risk_events
from tests.findings.matches import NOW, detection, match, schemas

POSITIVE = DetectionTest("finds", ())
NEGATIVE = DetectionTest("does not", (), negative=True)

RISK = [("dest", "system", 1), ("user", "user", 1)]
THREATS = [("process", "process")]
GOOD = {"dest": ["a", "b"], "user": ["u", "v"], "process": [None, "p"]}

VERDICTS: list[tuple[dict[str, list[object]], DetectionTest, list[str]]] = [
    (GOOD, POSITIVE, []),
    (GOOD, NEGATIVE, ["DET104"]),
    ({"dest": []}, POSITIVE, ["DET101"]),
    ({"dest": []}, NEGATIVE, []),
    (GOOD, replace(POSITIVE, rows=2), []),
    (GOOD, replace(POSITIVE, rows=3), ["DET105"]),
    ({**GOOD, "user": ["u", None]}, POSITIVE, ["DET102"]),
    ({**GOOD, "user": ["u", "null"]}, POSITIVE, ["DET102"]),
    ({"dest": ["a"], "process": ["p"]}, POSITIVE, ["DET102"]),
    ({**GOOD, "process": ["null", None]}, POSITIVE, ["DET103"]),
    ({"dest": ["a"], "user": ["u"]}, POSITIVE, ["DET103"]),
    ({"dest": [["a"], []], "user": ["u", "v"], "process": ["p", "p"]}, POSITIVE, ["DET102"]),
]


@pytest.mark.parametrize(("rows", "test", "codes"), VERDICTS)
def test_verdicts(rows: dict[str, list[object]], test: DetectionTest, codes: list[str]) -> None:
    found = match(rows, detection(risk=RISK, threats=THREATS))
    assert [d.code for d in judge_rows(found, test)] == codes


@pytest.mark.slow
def test_own_detections_pass_their_tests() -> None:
    loaded = content.load()
    risk = schemas().risk
    for own in loaded.detections:
        results = list(
            run_tests(
                own,
                loaded.knowledge,
                DuckDBEngine,
                now=NOW,
                checks=[lambda m, t: check_risk_events(m, t, risk)],
            )
        )
        if not own.tests:
            continue
        ran = [r for r in results if r.skipped is None]
        assert [r.problems for r in ran if not r.passed] == []
        assert {r.test.negative for r in ran} == {True, False}, own.name


def test_data_is_found_beside_the_detection_or_as_a_copy_of_its_url(tmp_path: Path) -> None:
    own = detection()
    origin = replace(own.origin, file=str(tmp_path / "d" / "x.yml"), root=None)
    own = replace(own, origin=origin)
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "a.xml").write_text("x")
    copy = tmp_path / "copies" / "datasets" / "T1" / "b.log"
    copy.parent.mkdir(parents=True)
    copy.write_text("x")
    url = "https://host.example/repo/master/datasets/T1/b.log"
    folders = [tmp_path / "copies"]
    assert find_data(own, AttackData("a.xml", "", ""), []) == tmp_path / "d" / "a.xml"
    assert find_data(own, AttackData("gone.xml", "", ""), []) is None
    assert find_data(own, AttackData(url, "", ""), folders) == copy
    assert find_data(own, AttackData(url, "", ""), []) is None


def test_a_test_whose_data_is_not_here_is_skipped_with_the_reason() -> None:
    own = replace(
        detection(), tests=(DetectionTest("t", (AttackData("https://x.example/a", "", ""),)),)
    )
    (result,) = run_tests(own, content.load().knowledge, DuckDBEngine, now=NOW)
    assert result.skipped == "no local copy of https://x.example/a"
    assert not result.passed


def test_an_experimental_test_is_not_run() -> None:
    own = replace(detection(), tests=(replace(POSITIVE, kind="experimental"),))
    (result,) = run_tests(own, content.load().knowledge, DuckDBEngine, now=NOW)
    assert result.skipped == "it is experimental"
