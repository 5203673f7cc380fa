"""Texts of sources -> the rows that they become: the samples beside this file, run as
``escudo source test`` runs those of a user."""

from __future__ import annotations

from pathlib import Path

import pytest

from escudo.actions.source_samples import Sample, SampleBench, find_samples, read_samples
from escudo.cim.models import load
from escudo.core.errors import EscudoError
from escudo.sources import load_families
from tests.families import FAMILIES
from tests.yaml_file import read_yaml

SAMPLES = [
    pytest.param(sample, id=f"{sample.source}: {sample.name}")
    for file in sorted((Path(__file__).parent / "samples").glob("*.yml"))
    for sample in read_samples(read_yaml(file), file.stem, str(file))
]
BENCH = SampleBench(FAMILIES, load())


@pytest.mark.parametrize("sample", SAMPLES)
def test_sample(sample: Sample) -> None:
    assert BENCH.run(sample).problems == ()


def test_every_source_of_text_has_a_sample() -> None:
    sampled = {param.values[0].source for param in SAMPLES}  # type: ignore[attr-defined]
    assert {family.name for family in FAMILIES.values() if family.text} <= sampled


OWN = """
name: gadget
title: Gadgets
priority: 20
source: gadget
sourcetype: acme:gadget
index: main
text:
  contains: ["GADGET "]
  read: [{pairs: {}}]
  time: [{of: at}]
samples:
  - text: "GADGET at=1700000000 who=ida\\n"
    rows: [{who: ida, _time: "2023-11-14 22:13:20+00:00"}]
"""


def test_samples_of_an_own_source_are_beside_it_or_in_it(tmp_path: Path) -> None:
    (tmp_path / "gadget.yml").write_text(OWN)
    beside = '- {name: wrong, text: "GADGET at=1 who=eve\\n", rows: [{who: ida}, {}]}'
    (tmp_path / "gadget.samples.yml").write_text(beside)
    families = load_families([tmp_path])
    bench = SampleBench(families, load())
    within, outside = (bench.run(sample) for sample in find_samples(tmp_path, families))
    assert within.problems == ()
    assert outside.problems == (
        "1 events, expected 2",
        "event 1: who is 'eve', expected 'ida'",
    )


@pytest.mark.parametrize("said", ["{}", "[1]", "[{text: 1}]", '[{text: "a", row: []}]'])
def test_what_is_no_sample_is_refused(said: str, tmp_path: Path) -> None:
    (tmp_path / "gadget.yml").write_text(OWN)
    (tmp_path / "gadget.samples.yml").write_text(said)
    with pytest.raises(EscudoError) as caught:
        list(find_samples(tmp_path, load_families([tmp_path])))
    assert caught.value.code == "SRC054"
