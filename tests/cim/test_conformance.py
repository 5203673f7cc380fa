"""All mapped events of our samples and of real logs keep to the CIM manual: required fields,
prescribed values, types; but for what ``exceptions.yml`` lists with a reason.

An entry there is ``never`` (no row of the source has the field), ``some`` (some events have no
value) or ``values`` (some are others than the manual's), and must be needed.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

from escudo.actions.source_samples import read_samples
from escudo.cim.mapping import read_mappings
from escudo.cim.models import load
from escudo.sources.opening import LogStream, open_logs
from escudo.sources.reading import RawBatch, read
from tests.cim.conformance import Conformance, Key, Tally, requirements
from tests.cim.events import log_lines
from tests.families import FAMILIES
from tests.shared_data import SHARED, needs_shared
from tests.yaml_file import read_yaml

HERE = Path(__file__).parent
SAMPLES = HERE.parent / "sources" / "samples"
LOGS = HERE.parent / "cases" / "logs"
JSON_LOGS = ("json-of-clouds", "json-of-networks", "json-of-tools")
DESCRIPTION = os.environ.get("ESCUDO_CIM_DESCRIPTION", "")
"""The folder ``data_models`` of pytest-splunk-addon. It is no dependency: what of it works with
the pytest and urllib3 that are locked here is of 2020."""


def read_batches(sources: Iterable[str | Path]) -> Iterator[RawBatch]:
    for stream in open_logs(list(sources)):
        if isinstance(stream, LogStream):
            yield from (b for b in read(stream, FAMILIES) if isinstance(b, RawBatch))


def sample_batches(folder: Path) -> Iterator[RawBatch]:
    """The samples of text sources, the logs of JSON sources, the cases of this folder."""
    for file in sorted(SAMPLES.glob("*.yml")):
        for sample in read_samples(read_yaml(file), file.stem, str(file)):
            given = FAMILIES.claim(sample.labels.source, sample.labels.sourcetype)
            text = io.BytesIO(sample.text.encode())
            for stream in open_logs(["-"], stdin=text, judge=FAMILIES.judge_with(given)):
                if isinstance(stream, LogStream):
                    for batch in read(stream, FAMILIES, given=given):
                        if isinstance(batch, RawBatch):
                            yield RawBatch(batch.family, sample.labels.put(batch.table))
    for name in JSON_LOGS:
        yield from read_batches(sorted((LOGS / name / "input").iterdir()))
    for file in sorted((HERE / "cases").glob("*.yml")):
        for number, case in enumerate(read_yaml(file)):
            lines = folder / f"{file.stem}_{number}.log"
            lines.write_text("\n".join(log_lines(case)) + "\n", encoding="utf-8")
            yield from read_batches([lines])


@cache
def exceptions() -> dict[Key, tuple[str, str]]:
    """Key -> kind, reason."""
    found: dict[Key, tuple[str, str]] = {}
    for source, datasets in read_yaml(HERE / "exceptions.yml").items():
        for dataset, entries in datasets.items():
            for entry in entries:
                [kind] = set(entry) - {"why"}
                for field in entry[kind]:
                    key = (source, dataset, field)
                    assert key not in found, f"{key} is listed twice"
                    found[key] = (kind, entry["why"])
    return found


def fault_of(tally: Tally) -> str | None:
    if tally.wrong:
        return "values"
    if tally.without:
        return "never" if tally.without == tally.rows else "some"
    return None


def test_every_fed_dataset_has_requirements() -> None:
    models = load()
    fed = {
        f"{e.dataset.model}.{e.dataset.name}"
        for family in FAMILIES.values()
        for e in read_mappings(family, models)
    }
    assert fed == set(requirements())
    for name, asked in requirements().items():
        dataset = models.find(*name.split("."))
        assert dataset is not None
        assert {*asked.required, *asked.prescribed, *asked.given} <= set(dataset.by_name), name


def unlisted(found: Conformance) -> list[str]:
    return [
        f"{key}: {tally.without} of {tally.rows} rows without, wrong: {dict(tally.wrong)}"
        for key, tally in found.tallies.items()
        if fault_of(tally) is not None and key not in exceptions()
    ]


@pytest.mark.slow
def test_samples(tmp_path: Path) -> None:
    found = Conformance().take(sample_batches(tmp_path))
    assert unlisted(found) == []


@needs_shared
@pytest.mark.slow
def test_samples_and_real_logs(tmp_path: Path) -> None:
    assert SHARED is not None
    found = Conformance().take(sample_batches(tmp_path))
    found.take(read_batches([SHARED / "evtx", SHARED / "otrf"]))
    assert sum(found.rows.values()) > 90_000
    assert unlisted(found) == []
    faults = {k: fault for k, t in found.tallies.items() if (fault := fault_of(t)) is not None}
    needless = [
        f"{key}: listed as {kind}, is {faults.get(key, 'as it must be')}"
        for key, (kind, _) in exceptions().items()
        if kind != faults.get(key)
    ]
    assert needless == []


@pytest.mark.skipif(not DESCRIPTION, reason="ESCUDO_CIM_DESCRIPTION names no folder")
def test_requirements_are_those_that_splunk_tests() -> None:
    """Nothing that Splunk's own test of add-ons asks of every event is left out here."""
    described = {}
    for file in Path(DESCRIPTION).glob("*.json"):
        for each in json.loads(file.read_text("utf-8"))["objects"]:
            described[f"{file.stem}.{each['name'].replace(' ', '_')}"] = each["fields"]
    assert set(requirements()) <= set(described)
    for name, asked in requirements().items():
        wanted = {f["name"] for f in described[name] if f["type"] == "required"}
        # Of DNS it asks what only a sensor on the wire can know.
        assert wanted - set(asked.required) <= {"transaction_id", "response_time"}, name
        for field in described[name]:
            if field["name"] in asked.prescribed and "expected_values" in field:
                mine = {str(v) for v in asked.prescribed[field["name"]]}
                theirs = {v.replace(" ", "_") for v in field["expected_values"]}
                assert theirs <= {v.replace(" ", "_") for v in mine}, (name, field["name"])
