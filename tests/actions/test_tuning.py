"""Exclusions leave out what they say, as an overlay of files does."""

from __future__ import annotations

from pathlib import Path

import pytest

from escudo import content as contents
from escudo.actions.tuning import Exclusion, run_tuned_tests, tune_content, write_overlay
from escudo.core.errors import EscudoError
from escudo.startup import prepare_process

WMI = "Process Execution via WMI"
NOW = 1_000_000.0


def make_exclusion(fields: dict[str, str], *, expires: float | None = None) -> Exclusion:
    return Exclusion(
        id=1,
        detection=WMI,
        fields=fields,
        author="ana",
        reason="It is ours: # done\nby us.",
        created=NOW,
        expires=expires,
    )


def find_filter(content: contents.Content) -> str:
    name = content.detection(WMI).filter_macro
    return next(m.definition for m in content.macros if m.name == name)


def test_a_filter_gets_a_condition_and_loses_it_when_it_is_over() -> None:
    loaded = contents.load()
    quiet = make_exclusion({"user": "CORP\\svc*", "process": '*"x"*'}, expires=NOW + 60)
    tuned = tune_content(loaded, [quiet], NOW)
    own = '| search NOT (user="CORP\\\\svc*" process="*\\"x\\"*")'
    assert find_filter(tuned) == f"{find_filter(loaded)} {own}"
    assert tune_content(loaded, [quiet], NOW + 60) is loaded


def test_the_overlay_says_the_same(tmp_path: Path) -> None:
    loaded = contents.load()
    quiet = make_exclusion({"user": "CORP\\svc*"})
    (file,) = write_overlay(tmp_path, loaded, [quiet], now=NOW)
    assert "ana" in file.read_text("utf-8")
    overlaid = contents.load(overlay=tmp_path)
    assert find_filter(overlaid) == find_filter(tune_content(loaded, [quiet], NOW))
    assert write_overlay(tmp_path, loaded, [], now=NOW) == []
    assert not file.exists()


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"user": "*"},
        {"user": " "},
        {"user": "a\n| delete"},
        {'user="x") OR (y': "a"},
        {f"f{number}": "a" for number in range(11)},
    ],
)
def test_what_would_leave_out_everything_cannot_be(fields: dict[str, str]) -> None:
    with pytest.raises(EscudoError) as error:
        make_exclusion(fields).check(NOW)
    assert error.value.code == "TRI006"


@pytest.mark.slow
def test_the_tests_of_a_detection_say_whether_it_still_finds_what_it_is_for() -> None:
    loaded = contents.load()
    detection = loaded.detection(WMI)

    def count_failed(fields: dict[str, str]) -> int:
        exclusions = [make_exclusion(fields)]
        results = run_tuned_tests(loaded, detection, exclusions, now=NOW, prepare=prepare_process)
        assert any(r.outcome in ("passed", "failed") for r in results)
        return sum(r.outcome == "failed" for r in results)

    assert count_failed({"user": "nobody-at-all"}) == 0
    assert count_failed({"parent_process": "*wmiprvse*"}) > 0
