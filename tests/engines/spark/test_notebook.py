"""The notebook of the documentation: it runs, attaches to a session, and hunts as DuckDB does."""

from __future__ import annotations

import ast
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from escudo.actions.engines import DuckDBEngines
from escudo.actions.hunt import hunt_lake, plan_hunt
from escudo.actions.workspace import Workspace
from escudo.content import load
from escudo.lake import Lake
from tests.needs_spark import needs_spark

pytestmark = [*needs_spark]
_NOTEBOOK = Path(__file__).parents[3] / "docs" / "spark_notebook.ipynb"


def test_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    kernels = tmp_path / "kernels" / "python3"
    kernels.mkdir(parents=True)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    kernel = {"argv": command, "display_name": "Python 3", "language": "python"}
    (kernels / "kernel.json").write_text(json.dumps(kernel))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(p for p in sys.path if p))
    notebook = nbformat.read(_NOTEBOOK, as_version=4)
    work = tmp_path / "work"
    work.mkdir()
    client = nbclient.NotebookClient(
        notebook, timeout=900, startup_timeout=300, resources={"metadata": {"path": str(work)}}
    )
    client.execute()
    assert _result(notebook, "here.ingest") == 3000
    hits = _result(notebook, "here.hunt()")
    content = load()
    with Lake.open(work / "lake") as lake:
        workspace = Workspace(
            content=content, lake=lake, engine_of=DuckDBEngines(), now=1_900_000_000.0
        )
        hunt = hunt_lake(plan_hunt(content).detections, workspace)
    assert hits
    assert hits == [(m.detection.name, m.rows.num_rows) for m, _ in hunt.hits()]


def _result(notebook: Any, source: str) -> Any:
    """What the cell with a text gave."""
    (cell,) = (c for c in notebook.cells if c.cell_type == "code" and source in c.source)
    (shown,) = (o for o in cell.outputs if o.output_type == "execute_result")
    return ast.literal_eval(shown.data["text/plain"])
