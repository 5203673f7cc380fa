"""All of the real content that is at hand loads; what is odd in it is known."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from escudo import content
from tests.shared_data import SHARED, needs_shared

pytestmark = needs_shared

KNOWN_ODDITIES = {
    ("esentutl_sam_copy.yml", "CON204"),  # a token `user$`
    ("windows_raccine_scheduled_task_deletion.yml", "CON204"),  # the same
    ("linux_service_started_or_enabled.yml", "CON204"),  # a token `$dest`
    ("linux_auditd_auditd_service_stop.yml", "CON203"),  # 50 * 50 / 100 is not 49
    ("internal_vertical_port_scan.yml", "CON102"),  # `update_timestamp: trues`
    ("applockereventcodes.yml", "CON206"),  # its match_type is of a field that the CSV has not
    ("char_conversion_matrix.yml", "CON206"),  # the same
    ("lookup_uncommon_processes_default.yml", "CON206"),  # the same
    ("lookup_uncommon_processes_local.yml", "CON206"),  # the same
}


@pytest.fixture(scope="module")
def upstream() -> content.Content:
    assert SHARED is not None
    return content.load([SHARED / "security_content"])


def theirs(loaded: content.Content) -> list[content.Detection]:
    return [d for d in loaded.detections if d.origin.layer != "builtin"]


@pytest.mark.slow
def test_every_element_loads(upstream: content.Content) -> None:
    assert len(theirs(upstream)) == 1181
    assert upstream.failed_files == 0
    assert (
        len(upstream.stories),
        len(upstream.baselines),
        len(upstream.investigations),
        len(upstream.data_sources),
    ) == (261, 66, 47, 205)
    own = content.load()
    yml_lookups = {k.name for k in upstream.lookups if not k.name.endswith(".csv")}
    assert len(yml_lookups - {k.name for k in own.lookups}) == 79
    assert len({m.name for m in upstream.macros} - {m.name for m in own.macros}) == 189 - 5


def test_nothing_is_odd_that_is_not_known(upstream: content.Content) -> None:
    found = {(Path(str(d.span.file)).name, d.code) for d in upstream.diagnostics if d.span}
    assert found == KNOWN_ODDITIES
    assert len(upstream.diagnostics) == len(KNOWN_ODDITIES)


def test_every_macro_that_a_search_uses_is_known(upstream: content.Content) -> None:
    names = {name for name, _ in upstream.knowledge.macros()}
    unknown = Counter()
    for detection in upstream.detections:
        text = re.sub(r"```.*?```", "", detection.search, flags=re.DOTALL)
        text = re.sub(r'"(?:[^"\\]|\\.)*"', '""', text)
        for call in re.findall(r"`([^`]+)`", text):
            if call.split("(")[0].strip() not in names:
                unknown[call] += 1
    assert unknown == {}


def test_scores_of_all_detections_come_from_their_risk(upstream: content.Content) -> None:
    for detection in theirs(upstream):
        assert detection.risk is not None, detection.name
        scores = {o.score for o in detection.risk.risk_objects}
        assert scores <= {detection.tags.risk_score}, detection.name
