"""The suites: what is compared with what."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from benchmarks import hunting, inputs, json_logs, search, text_logs
from benchmarks import searches as typical
from benchmarks.harness import Suite, Variant

_EVTX = "benchmarks.evtx_libraries"
_FDR = "benchmarks.fdr_libraries"
_ESCUDO = "benchmarks.escudo_side"
_EVTX_EVENTS = 5_000
"""About how many events the real event logs have together."""


def xml(events: int) -> Suite:
    source = {"source": str(inputs.generated("xml", events))}
    return Suite(
        "xml",
        "Sysmon and Security event XML to a committed lake",
        "Escudo keeps the raw line, all fields and the rows of the data models; the alternatives "
        "write the fields only.",
        events,
        [
            Variant("escudo ingest", _ESCUDO, "ingest_log", source),
            Variant(
                "Polars, split and fixed positions",
                "benchmarks.xml_libraries",
                "polars_split",
                source,
            ),
            Variant("xml2arrow and pivot", "benchmarks.xml_libraries", "xml2arrow_pivot", source),
        ],
        limit=2.0,
    )


def evtx(events: int) -> Suite | None:
    folder = inputs.shared("evtx")
    if folder is None:
        return None
    copies = max(1, events // 5 // _EVTX_EVENTS)
    source = {"source": str(inputs.large_evtx(folder, copies))}
    return Suite(
        "evtx",
        f"EVTX to a committed lake: the chunks of 183 real logs, {copies} times",
        "Escudo keeps raw text, all fields and the rows of the data models; of the alternatives "
        "the first makes the event's own fields a map, the second makes every field a column, "
        "the last does not take the event data apart.",
        0,
        [
            Variant("escudo ingest", _ESCUDO, "ingest_log", source),
            Variant("evtx, DuckDB read_json", _EVTX, "evtx_json_duckdb", source),
            Variant("evtx, xml2arrow and pivot", _EVTX, "evtx_xml2arrow", source),
            Variant(
                "evtx, DuckDB read_json, event data left as JSON",
                _EVTX,
                "evtx_json_left",
                source,
                partial=True,
            ),
        ],
        limit=2.0,
        strict=False,
    )


def fdr(events: int) -> Suite:
    source = {"source": str(inputs.generated("fdr", events))}
    return Suite(
        "fdr",
        "Falcon Data Replicator JSON to a committed lake",
        "Escudo keeps the raw line, all fields and the rows of the data models; the alternatives "
        "write the fields only, the last of them in any order.",
        events,
        [
            Variant("escudo ingest", _ESCUDO, "ingest_log", source),
            Variant("DuckDB read_json", _FDR, "duckdb_read_json", source),
            Variant("Polars scan_ndjson", _FDR, "polars_ndjson", source),
            Variant(
                "DuckDB read_json, order of the events lost",
                _FDR,
                "duckdb_read_json",
                {**source, "ordered": False},
                partial=True,
            ),
        ],
        limit=2.0,
    )


def json(events: int) -> Suite:
    module = "benchmarks.json_logs"
    variants = []
    for kind in json_logs.KINDS:
        log = inputs.generated(kind, events)
        source = {"source": str(log)}
        told = {**source, "columns": json_logs.find_columns(log)}
        variants += [
            Variant(kind, _ESCUDO, "ingest_log", source),
            Variant(f"{kind}: DuckDB", module, "duckdb_read", source),
            Variant(f"{kind}, beside DuckDB that is told the types", _ESCUDO, "ingest_log", source),
            Variant(f"{kind}: DuckDB, told", module, "duckdb_read", told, partial=True),
        ]
    return Suite(
        "json",
        "JSON logs of clouds and networks to a committed lake",
        "Escudo keeps the raw line, all fields and the rows of the data models. The alternative is "
        "DuckDB's `read_json` of the whole file to an Arrow table, which writes nothing. It finds "
        "the fields and their types out as Escudo does, or is told them all before: these rows are "
        "shown, and no promise is measured by them.",
        events,
        variants,
        limit=2.0,
        pairs=True,
        by_cpu=True,
    )


def text(events: int) -> Suite:
    module = "benchmarks.text_logs"
    variants = []
    for kind in text_logs.KINDS:
        source = {"source": str(text_logs.make_log(kind, events))}
        for name, function in (("DuckDB", "duckdb_read"), ("Polars", "polars_read")):
            variants += [
                Variant(f"{kind}, beside {name}", module, "escudo_read", source),
                Variant(f"{kind}: {name}", module, function, {**source, "kind": kind}),
            ]
    return Suite(
        "text",
        "Text logs to Arrow tables",
        "Escudo finds out the source, and gives raw text, time and all fields (auditd's records "
        "joined); the alternatives are told the form and the names of the fields, and give these.",
        events,
        variants,
        limit=2.5,
        pairs=True,
    )


def wmi(events: int) -> Suite:
    rows = events * 10
    lake = {"lake": str(search.large_lake(rows))}
    return Suite(
        "wmi",
        f"The WMI detection over a lake of about {rows:,} process rows",
        "From SPL text (or SQL text) to rows, warm: the median of five searches in a process.",
        rows,
        [
            Variant("escudo search", "benchmarks.search", "escudo_search", lake),
            Variant("hand-written DuckDB SQL", "benchmarks.search", "by_hand", lake),
        ],
        limit=1.2,
    )


def searches(events: int) -> Suite:
    rows = events * 10
    lake = str(search.large_lake(rows))
    variants = []
    for name in typical.CASES:
        arguments = {"lake": lake, "case": name}
        variants += [
            Variant(name, "benchmarks.searches", "escudo_search", arguments),
            Variant(f"{name}: SQL", "benchmarks.searches", "by_hand", arguments),
        ]
    return Suite(
        "searches",
        f"Ten typical searches over a lake of about {rows:,} process rows",
        "From SPL text (or SQL text) to rows, warm: the median of three searches in a process. The "
        "SQL is what a person writes who knows the files (`benchmarks/searches.py`).",
        rows,
        variants,
        limit=1.5,
        pairs=True,
    )


def compiled(events: int) -> Suite | None:
    source = inputs.shared("security_content")
    if source is None:
        return None
    return Suite(
        "compile",
        "All detections of security_content, from text to SQL",
        "Schemas and content are loaded before. Promise: median under 5 ms, 99th percentile under "
        "50 ms, all in under 10 s on one core.",
        0,
        [Variant("escudo", "benchmarks.compiling", "compile_all", {"source": str(source)})],
        strict=False,
    )


def hunt(events: int) -> Suite | None:
    evtx, otrf = inputs.shared("evtx"), inputs.shared("otrf")
    content = inputs.shared("security_content")
    if evtx is None or otrf is None or content is None:
        return None
    for rows in (events, events * 10):
        search.large_lake(rows)
    module, base = "benchmarks.hunting", {"content": str(content)}
    places: Mapping[str, Mapping[str, object]] = {
        f"{hunting.SMALL_FILES} small EVTX files": {
            "logs": str(evtx),
            "smallest": hunting.SMALL_FILES,
        },
        "evtx": {"logs": str(evtx)},
        "otrf": {"logs": str(otrf)},
        f"lake of {events:,} process rows": {"rows": events},
        f"lake of {events * 10:,} process rows": {"rows": events * 10},
    }
    variants = []
    for name, place in places.items():
        given = {**base, **place}
        variants += [
            Variant(
                f"{name}: WMI alone, warm", module, "hunt", {**given, "alone": True, "warm": True}
            ),
            Variant(f"{name}: all, cold", module, "hunt", given),
            Variant(f"{name}: all, warm", module, "hunt", {**given, "warm": True}),
        ]
    for count in (100, 300):
        growing = {**base, "logs": str(evtx), "detections": count, "warm": True}
        variants.append(Variant(f"evtx: {count} detections, warm", module, "hunt", growing))
    large = {"rows": events * 10}
    only = "datamodel ?= ?Endpoint.Processes"
    variants += [
        Variant(
            "large lake: detections of processes, warm",
            module,
            "hunt",
            {**base, **large, "only": only, "warm": True},
        ),
        Variant(
            "large lake: what these need, counted at once",
            module,
            "count_needs",
            {**base, **large, "only": only},
        ),
        Variant(
            f"large lake: {hunting.SCANS} bare scans of the command line",
            module,
            "scan_command_lines",
            large,
        ),
    ]
    return Suite(
        "hunt",
        "Hunts with one detection and with all of security_content",
        "The command line from its start to its end, in a process of its own. Cold: nothing is "
        "kept from a run before; warm: content and what its searches need are.",
        0,
        variants,
        strict=False,
    )


def latency(events: int) -> Suite:
    """Attacks among ``events`` a minute, a tenth of it, and as many as can be read."""
    content = inputs.shared("security_content_5")
    variants = []
    rates = {"full rate": 0, f"{events // 60:,} events/s": events // 60, "10 events/s": 10}
    for named, rate in rates.items():
        for of, path in (("own content", None), ("ESCU 5", content)):
            arguments = {
                "source": str(inputs.generated("xml", events)),
                "rate": rate,
                "seconds": 30.0,
                "content": None if path is None else str(path),
            }
            if path is not None or of == "own content":
                name = f"{named}, {of}"
                variants.append(Variant(name, "benchmarks.latency", "follow", arguments))
    return Suite(
        "latency",
        "From the arrival of an attack to its finding, while events come",
        "`escudo follow` of a folder; seconds are the median of 60 attacks, two a second, in a "
        "file beside the one that the other events come in. At the full rate there are always "
        "20,000 events ahead of the reader.",
        0,
        variants,
        strict=False,
    )


def hec(events: int) -> Suite:
    """The same events posted and read from a file."""
    source = {"source": str(inputs.generated("evtx-json", events))}
    module, many = "benchmarks.receiving", {"connections": 8, "events_a_post": 1000}
    return Suite(
        "hec",
        "Events by HEC to a committed lake, the scheduler running",
        "`escudo serve` with its own content scheduled; eight connections post 1,000 events at a "
        "time until all are acknowledged: by ids that are asked for (`useACK`), or by the answer "
        "to the post. CPU s are those of the server; what sends shares its processors. The bare "
        "cost is `escudo ingest` of the same events.",
        events,
        [
            Variant(
                "escudo serve, useACK", module, "post_events", {**source, **many, "acks": True}
            ),
            Variant("escudo ingest", _ESCUDO, "ingest_log", source),
            Variant(
                "escudo serve, answers", module, "post_events", {**source, **many}, partial=True
            ),
        ],
        limit=2.0,
    )


def generator(events: int) -> Suite:
    formats = ("xml", "evtx-json", "4688", "fdr")
    return Suite(
        "generate",
        "Generated logs",
        "One process a format, written to a file.",
        events,
        [
            Variant(
                f"escudo generate --format {name}",
                _ESCUDO,
                "generate_log",
                {"events": events, "format": name},
            )
            for name in formats
        ],
        strict=False,
    )


SUITES: Mapping[str, Callable[[int], Suite | None]] = {
    "xml": xml,
    "evtx": evtx,
    "fdr": fdr,
    "json": json,
    "text": text,
    "wmi": wmi,
    "searches": searches,
    "compile": compiled,
    "hunt": hunt,
    "latency": latency,
    "hec": hec,
    "generate": generator,
}
"""Name -> maker for a number of events (``wmi``, ``searches`` and ``hunt`` also take ten times as
many rows)."""
