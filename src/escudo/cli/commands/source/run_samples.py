"""``escudo source test``: the samples of own sources, and the rows that they become."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from escudo.actions.source_samples import SampleBench, find_samples
from escudo.cim import models
from escudo.cli import EXIT_INPUT
from escudo.cli.json_text import dump_json
from escudo.cli.output import choose_format, format_option
from escudo.cli.place_type import PlaceType
from escudo.cli.terminal import open_console
from escudo.core.errors import EscudoError
from escudo.lake.tables import load_tables

_FORMATS = ("table", "json")


@click.command()
@click.argument("folder", default=".", type=PlaceType("source", exists=True, file_okay=False))
@format_option(_FORMATS)
def command(folder: Path, format_: str | None) -> None:
    """Run the samples of the sources in FOLDER [default: this one].

    A source's YAML carries samples under `samples`, or a file `NAME.samples.yml` beside it has
    them. The exit code is 1 if one does not become the rows that it must.
    """
    families = load_tables([folder]).families
    bench = SampleBench(families, models.load())
    results = [bench.run(sample) for sample in find_samples(folder, families)]
    if not results:
        raise EscudoError("SRC055", f"{folder}: no sample of a source")
    failed = [result for result in results if result.problems]
    if choose_format(format_, _FORMATS) == "json":
        told = [
            {"source": r.sample.source, "sample": r.sample.name, "problems": list(r.problems)}
            for r in results
        ]
        sys.stdout.write(
            dump_json(
                {"samples": len(results), "failed": len(failed), "results": told}, indent=True
            )
            + "\n"
        )
    else:
        out = open_console()
        for result in failed:
            out.print(f"{result.sample.source}: {result.sample.name}")
            for problem in result.problems:
                out.print(f"    {problem}")
        out.print(f"{len(results):,} samples, {len(failed):,} failed")
    if failed:
        sys.exit(EXIT_INPUT)
