"""``python -m benchmarks``: measure and write the tables."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import click

from benchmarks import report
from benchmarks.harness import BenchmarkError, run_suite
from benchmarks.suites import SUITES


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(tuple(SUITES)))
@click.option("--events", default=1_000_000, show_default=True, help="Size of the inputs.")
@click.option("--rounds", default=3, show_default=True, help="Interleaved rounds.")
@click.option("--write/--no-write", default=True, help="Whether README.md is changed.")
@click.option(
    "--work",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Where variants write [default: the system's folder for temporary files].",
)
def main(names: Sequence[str], events: int, rounds: int, write: bool, work: Path | None) -> None:
    """Run the suites NAMES (all by default), each variant in a process of its own."""
    for name in names or tuple(SUITES):
        suite = SUITES[name](events)
        if suite is None:
            click.echo(f"{name}: left out, the real data is not there (ESCUDO_SHARED_DATA)")
            continue
        try:
            results = run_suite(suite, rounds, lambda text: click.echo(text, err=True), work)
        except BenchmarkError as error:
            raise click.ClickException(str(error)) from error
        text = report.table(suite, results, rounds)
        click.echo(text + "\n")
        if write:
            report.write(suite.name, text)


if __name__ == "__main__":
    if sys.argv[1:2] in (["cluster"], ["soak"], ["year"], ["browse"]):
        # They are no suites of variants, and need more: a cluster Spark, the soak a browser.
        import_module(f"benchmarks.{sys.argv[1]}").main(sys.argv[2:])
    else:
        main()
