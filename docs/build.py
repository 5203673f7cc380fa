"""Generates the reference pages: ``python -m docs.build`` (``make docs``).

Everything on these pages is said once, in the code: error codes, commands, functions, sources,
the data models' mappings, the command line. A test fails when a page is not what this would write.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path

import click
from docs import command_pages, route_pages, source_pages
from docs.markdown import GENERATED, cell, code, grid, page, sentence, table
from tests.conformance.cases import all_cases, names_by_command

import escudo
from escudo.cim import document
from escudo.cim.models import load
from escudo.cli import COMMANDS as CLI_COMMANDS
from escudo.cli import cli
from escudo.core.errors import ErrorCode
from escudo.engines.capability import FunctionSupport, function_support
from escudo.sources import load_families
from escudo.spl.batch.algorithms import ALGORITHMS, Algorithm, Kind
from escudo.spl.commands import COMMANDS
from escudo.spl.commands.learning.models import DENSITY, DENSITY_OPTIONS
from escudo.spl.functions import EvalFunction, StatsFunction, eval_functions, stats_functions
from escudo.spl.lint import RULES
from escudo.spl.relation.pcre import DIFFERENCES, REFUSED_GROUPS, REFUSED_LETTERS

HERE = Path(__file__).parent
_WIDTH = 96
_COUNTS_IN_A_LINE = 6


def code_tables() -> dict[str, Mapping[str, ErrorCode]]:
    """Package name -> its error codes, of every package that has a ``codes`` module."""
    tables: dict[str, Mapping[str, ErrorCode]] = {}
    for file in sorted(Path(escudo.__path__[0]).rglob("codes.py")):
        parts = file.relative_to(Path(escudo.__path__[0]).parent).with_suffix("").parts
        tables[parts[1]] = import_module(".".join(parts)).CODES
    return tables


def errors() -> str:
    """Every code with its meaning and what to do, by package."""
    out = [
        "# Error codes",
        "",
        GENERATED,
        "",
        "An error says what is wrong in this case and where; the code says what kind of error",
        "it is. The prefix names the part of Escudo that found it.",
    ]
    tables = code_tables()
    prefixes = {name: next(iter(codes))[:3] for name, codes in tables.items() if codes}
    for name in sorted(prefixes, key=lambda n: prefixes[n]):
        out += ["", f"## {prefixes[name]}: {name}"]
        for row in tables[name].values():
            out += ["", f"### {row.code}", "", f"{sentence(row.title)} {sentence(row.advice)}"]
    return page(out)


def regular_expressions() -> str:
    """Where patterns are not quite those of PCRE2."""
    out = [
        "# Regular expressions",
        "",
        GENERATED,
        "",
        "Patterns of `rex`, `regex`, `match()`, `replace()` and the like are those of PCRE2, as in",
        "Splunk: groups, look-around (lookbehind of fixed length), atomic and possessive",
        "groups, backreferences, recursion, conditions,",
        "`\\K`, `\\R`, `\\h`, `\\v`, `\\N`, `\\X`,",
        "`\\Q...\\E`, POSIX classes, Unicode properties, the flags `imsx`. What is no pattern is",
        "an error when the search is compiled (SPL203).",
        "",
        "## Not quite the same",
        "",
        *table(("syntax", "here"), ((code(k), cell(v)) for k, v in DIFFERENCES.items())),
        "",
        "## Refused",
        "",
        "Also groups that are called before they are defined.",
        "",
        *table(("pattern", "why"), ((code(k), cell(v)) for k, v in REFUSED_GROUPS.items())),
        "",
        "## Letters after a backslash that are errors",
        "",
        *table(("letter", "why"), ((code(f"\\{k}"), cell(v)) for k, v in REFUSED_LETTERS.items())),
    ]
    return page(out)


# --- SPL --------------------------------------------------------------------------------------


def lint() -> str:
    """What `escudo lint` looks for, rule by rule."""
    out = [
        "# Lint of SPL",
        "",
        GENERATED,
        "",
        "`escudo lint` binds a search command by command, so it knows which fields there are at",
        "each place. A rule is a file under `src/escudo/spl/lint/`. A macro never defined, an",
        "unknown data model and anything else that keeps a search from running is an error there,",
        "too, with its own code ([errors.md](errors.md)).",
    ]
    for rule in RULES:
        out += ["", f"## {rule.code}: {rule.row.title}", "", rule.doc.strip()]
    return page(out)


def functions() -> str:
    """Every evaluation and statistical function with arity, result, null rule and manual page."""
    out = [
        "# SPL functions",
        "",
        GENERATED,
        "",
        "*Null*: what a null argument gives: `null` makes the result null, `skip` leaves it out,",
        "`own` has a rule of its own (see the manual). *DuckDB*, *Spark*: `sql` runs in the",
        "engine's own SQL, `kernel` as a Python function over Arrow arrays (on Spark not inside",
        "`mvmap` and `mvfilter`), `none` not at all. [support.md](support.md) counts the",
        "conformance cases of each.",
        "",
        "## Evaluation functions",
        "",
        "| function | arguments | result | null | DuckDB | Spark | manual |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    runs = {(row.kind, row.name): row for row in function_support()}
    for name in sorted(eval_functions):
        out.append(_eval_row(eval_functions[name], runs["eval", name]))
    out += [
        "",
        "## Statistical functions",
        "",
        "| function | argument | result | null | DuckDB | Spark | manual |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name in sorted(stats_functions):
        out.append(_stats_row(stats_functions[name], runs["stats", name]))
    return page(out)


def _eval_row(row: EvalFunction, runs: FunctionSupport) -> str:
    if row.most is None:
        arity = f"{row.least} or more"
    else:
        arity = str(row.least) if row.least == row.most else f"{row.least}-{row.most}"
    manual = f"[page]({row.url})"
    engines = f"{runs.duckdb} | {runs.spark}"
    return f"| `{row.name}` | {arity} | {cell(row.result)} | {row.nulls} | {engines} | {manual} |"


def _stats_row(row: StatsFunction, runs: FunctionSupport) -> str:
    name = f"{row.name}N" if row.takes_number else row.name
    takes = "a field" if row.needs_argument else "a field or none"
    if row.needs_time:
        takes += ", goes by `_time`"
    manual = f"[page]({row.url})"
    engines = f"{runs.duckdb} | {runs.spark}"
    return f"| `{name}` | {takes} | {cell(row.result)} | {row.nulls} | {engines} | {manual} |"


def support() -> str:
    """How many conformance cases each function and command has, and what Spark cannot do."""
    cases = all_cases()
    known = {*eval_functions, *stats_functions}
    functions_used: Counter[str] = Counter()
    commands_used: Counter[str] = Counter()
    for case in cases:
        text = case.eval or case.spl or ""
        called = set(re.findall(r"\b([a-z_0-9]+)\s*\(", text))
        functions_used.update({n if n in known else n.rstrip("0123456789") for n in called})
        commands_used.update(set(re.findall(r"(?:^|\|)\s*([a-z]+)\b", case.spl or "")))
    gaps = [case for case in cases if case.spark]
    out = [
        "# Support and evidence",
        "",
        GENERATED,
        "",
        f"{len(cases)} conformance cases (`tests/conformance`) run on DuckDB and on Spark. Both",
        "must give what the manual says. A gap on Spark is a case that must fail there, with its",
        "reason.",
        "",
        f"## Gaps on Spark: {len(gaps)}",
        "",
        *([f"- {cell(case.name)}: {case.spark}" for case in gaps] or ["None."]),
        "",
        "## Cases for each command",
        "",
        "The number is that of the searches that name the command.",
        "",
        *grid([f"`{n}` {commands_used[n]}" for n in sorted(COMMANDS)], _COUNTS_IN_A_LINE),
        "",
        "## Cases for each function",
        "",
        *grid(
            [f"`{n}` {functions_used[n]}" for n in sorted(known)],
            _COUNTS_IN_A_LINE,
        ),
    ]
    return page(out)


def algorithms() -> str:
    """Every algorithm of `fit`: what it adds, its options, whether its model can be kept."""
    out = [
        "# Algorithms of fit and apply",
        "",
        GENERATED,
        "",
        "`fit ALGORITHM fields [FROM fields] [INTO model] [AS name] [option=value ...]` trains a",
        "model on the rows and adds what it says of them; `apply model` adds it to other rows;",
        "`summary model` shows what it has learned. Names and options are those of Splunk's",
        "Machine Learning Toolkit; the estimators are scikit-learn's.",
        "",
        "- Rows: a field without any value, or with more than 100 different texts, is left out. A",
        "  row with a null in one of the others is not learned from and gets no result. A field of",
        "  texts counts as one column of 0 and 1 for each text. A model learns from at most",
        "  100,000 rows (5,000 where noted), evenly chosen.",
        "- The same rows give the same model; `random_state` asks for another.",
        "- `partial_fit`, `kfold_cv` and samples of a density are refused, and so is",
        "  `MLTKContainer`, which runs code in a container of another app, with the models that",
        "  ESCU ships for it.",
        "- Not offered: Birch (its models cannot be kept as data), NPR (its ratio is unpublished),",
        "  G-means, X-means, AutoPrediction, HashingVectorizer, the time series (ARIMA,",
        "  StateSpaceForecast, ACF, PACF), and a beta distribution in DensityFunction.",
        "- A model is a file of data in the lake (`models/NAME.model`): JSON, with the estimator",
        "  as [skops](https://skops.readthedocs.io) writes it. Reading one runs no code of it;",
        "  types that are not scikit-learn's are refused (SPL319).",
        "",
        "| algorithm | adds | options | INTO | estimator |",
        "| --- | --- | --- | --- | --- |",
    ]
    names = ", ".join(f"`{n}`" for n in DENSITY_OPTIONS)
    density = "`IsOutlier(field)`, `BoundaryRanges`, `ProbabilityDensity(field)`"
    out.append(f"| {DENSITY} (`field [BY fields]`) | {density} | {names} | yes | Escudo's own |")
    for row in sorted(ALGORITHMS.values(), key=lambda a: a.name.lower()):
        module, _, estimator = row.estimator.partition(":")
        options = ", ".join(
            f"`{name}`" + (f" (`{o.parameter}`)" if o.parameter and o.parameter != name else "")
            for name, o in sorted(row.options.items())
        )
        form = f"{row.name} (`field FROM fields`)" if row.predicts else f"{row.name} (`fields`)"
        most = "" if row.most >= 100_000 else f", {row.most:,} rows"
        kept = ("yes" if row.saved else "no") + most
        out.append(
            f"| {form} | {_added(row)} | {options or '-'} | {kept} | `{module}.{estimator}` |"
        )
    return page(out)


def _added(row: Algorithm) -> str:
    match row.kind:
        case Kind.CLASSIFIER | Kind.REGRESSOR:
            more = ", `probability(field=value)`" if "probabilities" in row.options else ""
            return "`predicted(field)`" + more
        case Kind.CLUSTER:
            more = ", `cluster_distance`" if row.saved else " (-1: noise)"
            return f"`{row.output}`" + (more if row.name != "SpectralClustering" else "")
        case Kind.OUTLIER:
            is_one = "1: outlier, -1: none" if row.negated else "1: normal, -1: outlier"
            more = ", `anomaly_score`" if "anomaly_score" in row.options else ""
            return f"`{row.output}` ({is_one})" + more
        case Kind.COMPONENTS:
            return f"`{row.output}_1`, `{row.output}_2` ..."
        case Kind.TEXT:
            return f"`field_{row.output}_0_term` ..."
        case _:
            return f"`{row.output}_field` ..."


# --- sources and command line -------------------------------------------------------------------


def command_line() -> str:
    """The help of every command, as the command line prints it."""
    out = ["# Command line", "", GENERATED, ""]
    context = click.Context(
        cli, info_name="escudo", help_option_names=["-h", "--help"], terminal_width=_WIDTH
    )
    out += ["```", cli.get_help(context), "```"]
    for name in CLI_COMMANDS:
        command = cli.get_command(context, name)
        if command is None:
            continue
        out += ["", *_help(command, name, context, "##")]
    return page(out)


def _help(command: click.Command, name: str, parent: click.Context, level: str) -> Iterator[str]:
    context = click.Context(command, info_name=name, parent=parent)
    yield f"{level} {context.command_path}"
    yield ""
    yield "```"
    yield command.get_help(context)
    yield "```"
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            if found is not None:
                yield ""
                yield from _help(found, child, context, level + "#")


def sources() -> str:
    """Every source family: how it is recognised, what it is called, its fields and data models."""
    return source_pages.sources(load_families())


def command_page(name: str) -> str:
    """The page of one command of SPL."""
    codes = {code: row for table in code_tables().values() for code, row in table.items()}
    return command_pages.command_page(name, codes)


# --- pages ----------------------------------------------------------------------------------------

PAGES: Mapping[str, Callable[[], str]] = {
    "errors.md": errors,
    "commands.md": command_pages.index,
    **{command_pages.page_name(n): partial(command_page, n) for n in names_by_command()},
    "lint.md": lint,
    "regex.md": regular_expressions,
    "functions.md": functions,
    "algorithms.md": algorithms,
    "sources.md": sources,
    "cim.md": lambda: document.build_page(load(), load_families()),
    "cli.md": command_line,
    "server-permissions.md": route_pages.permissions,
    "support.md": support,
}
"""The generated pages."""


def main() -> None:
    for stale in (HERE / command_pages.FOLDER).glob("*.md"):
        stale.unlink()
    for name, make in PAGES.items():
        (HERE / name).parent.mkdir(exist_ok=True)
        (HERE / name).write_text(make(), "utf-8")
        print(f"wrote docs/{name}")


if __name__ == "__main__":
    main()
