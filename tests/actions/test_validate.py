"""Every search of some content is run once, and a fault in one is beside the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from escudo import content
from escudo.actions.content_searches import ContentSearch
from escudo.actions.validate import validate_content
from escudo.actions.workspace import Workspace
from escudo.engines.duckdb import DuckDBEngine
from escudo.lake import Lake

YAML = "name: {name}\nid: {name}\ntype: TTP\nsearch: {search}\n"
SEARCHES = {"bad": "search a=1 | stast count", "fault": "search a=broken", "good": "search a=1"}


class Faulty(DuckDBEngine):
    def run(self, query: Any, *args: Any, **kwargs: Any) -> Any:
        if "broken" in str(query):
            raise RuntimeError("out of order")
        return super().run(query, *args, **kwargs)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    for name, search in SEARCHES.items():
        (tmp_path / f"{name}.yml").write_text(YAML.format(name=name, search=search))
    (tmp_path / "torn.yml").write_text("name: [")
    with Lake.create_temporary() as lake:
        loaded = content.load([tmp_path])
        yield Workspace(content=loaded, lake=lake, engine_of=Faulty, now=0.0)


def test_each_search_has_its_verdict(workspace: Workspace) -> None:
    followed: list[str] = []

    def follow(searches: Sequence[ContentSearch]) -> Iterator[ContentSearch]:
        for search in searches:
            followed.append(search.name)
            yield search

    validation = validate_content(workspace, follow=follow)
    assert followed == ["bad", "fault", "good"]
    verdicts = validation.verdicts["detections"]
    assert verdicts.total == 3
    told = [(c.name, d.code, d.message) for c, d in verdicts.failed]
    assert told[0][:2] == ("bad", "SPL101")
    assert told[1:] == [("fault", "DET001", "fault: RuntimeError: out of order")]
    assert validation.failed
    shown = validation.to_dict()
    assert shown["detections"]["compiled"] == 1
    assert shown["files"]["total"] - shown["files"]["loaded"] == 1
    assert [Path(f["file"]).name for f in shown["files"]["failed"]] == ["torn.yml"]


def test_content_without_a_fault(workspace: Workspace) -> None:
    own = replace(workspace, content=content.load())
    validation = validate_content(own)
    assert not validation.failed
    assert {k: v.total for k, v in validation.verdicts.items()} == dict.fromkeys(
        ("detections", "baselines", "investigations", "drilldowns"), 0
    )
