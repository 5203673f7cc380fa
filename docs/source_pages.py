"""Source families -> the page that says how each is recognised, and which fields it has.

Called by ``docs.build``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from docs.markdown import GENERATED, anchor, cell, code, code_or_dash, grid, page, table

from escudo.core.schema import Column, FieldType
from escudo.sources import Family

CATALOG = "src/escudo/sources/catalog"
_NAMES_IN_A_LINE = 5
_LONGEST_EXPRESSION = 160

_SHAPES = (
    "## Shapes of Windows events",
    "",
    "Whatever brought a Windows event, its fields are those of its XML. What only a shipper says",
    "is kept under the shipper's names. These shapes of JSON objects, and of rows of a CSV, are",
    "known: evtx_dump, Velociraptor, golang-evtx, xmltodict (`@Name`, `#text`), EvtxECmd (JSON and",
    "CSV), Winlogbeat 5 to 8 and Elastic Agent (fields that its modules moved to ECS are mapped",
    "back), Elasticsearch's `fields` with dotted keys, OpenTelemetry's windowseventlog (also as",
    "OTLP), Wazuh's archives, `Get-WinEvent | ConvertTo-Json`, Fluent Bit (`StringInserts` by the",
    "event's template, XML in `System`), NXLog, Log Analytics (`SecurityEvent`, `Event`; answers",
    "with `columns` and `rows`), Microsoft Defender's Device tables.",
    "",
    "An event's XML, JSON or classic text is also found within a text of an object (`_raw`,",
    "`MESSAGE`, `body`, `event.original`, ...). Lists under `results`, `records`, `value`,",
    "`events` or `hits.hits` are the events. Of a Splunk export, `_raw` is the event.",
    "",
    "Classic WinEventLog text (Splunk without `renderXml`) has its fields under the names of the",
    "XML, as far as the message's labels are known, and under the add-on's names",
    "(`New_Process_Name`). Its time names no zone and is taken as UTC; beside it, Splunk's own",
    "`_time` is used; without it, that is told (SRC064). The labels of English messages are",
    "known, and those of German, French, Spanish and Portuguese ones for logons, processes,",
    "tasks and services; a process event whose labels are in no table is told (SRC062), not",
    "passed over.",
    "",
    "Event Viewer's CSV has neither channel nor computer: its rows are kept and told (SRC060).",
    "Their dates are read; `--date-order` says what 03/05/2024 means.",
    "",
    "In a text, an event ends where as many elements called `Event` have ended as have begun,",
    "so one that is data of another cuts nothing. Each event may have a namespace prefix of its",
    "own.",
    "",
    "## CrowdStrike",
    "",
    "The sensor's events name host and user by ids. Their names come from the lists that the",
    "Falcon Data Replicator writes (`aidmaster`, `userinfo`), as JSON or CSV, wherever they are",
    "among the files of the same ingest; from lists that an earlier ingest has brought into the",
    "lake; and, in `escudo hunt`, from CSV lookups of the content with the columns `aid` and",
    "`ComputerName`, or `UserSid` and `UserName`. Lists on standard input come too late for the",
    "events before them. The events are also read by LogScale's names (`#event_simpleName`,",
    "`@timestamp`), and inside the exports of other products. What the streaming API sends",
    "(`metadata`, `event`) is a source of its own, `crowdstrike_streams`.",
)


def sources(families: Mapping[str, Family]) -> str:
    """Every family: how it is recognised, what it is called, its fields and data models."""
    common = _common_fields(families.values())
    out = [
        "# Sources",
        "",
        GENERATED,
        "",
        "Escudo finds the format of a log by its content. It reads EVTX, event XML, JSON lines,",
        "JSON arrays, Parquet, CSV with a header, classic WinEventLog text, CrowdStrike FDR and",
        "text of the sources below ([how](text_sources.md)), each plain, gz, zst or zip, in",
        "folders, or from standard input. The family of an event is the one that has its source",
        "type, where that is given (`--sourcetype`, HEC, a detection's test), and else the first",
        "in this table whose",
        "rule holds. Other JSON, other text and other Windows events fall to the families that are",
        "named so. Each family is one YAML file in",
        f"`{CATALOG}/`. [cim.md](cim.md) shows how its fields become those of the data models.",
        "",
    ]
    rows = (
        [
            f"[{family.title}](#{anchor(family.title)})",
            code(family.name),
            code_or_dash(family.sourcetype),
            ", ".join(code(d) for d in _datasets(family)) or "-",
        ]
        for family in families.values()
    )
    out += table(["source", "family", "sourcetype", "data models"], rows)
    out += [
        "",
        "A field with a column of its own is stored as text, or as a list of texts. Every other",
        "field of an event is kept, too, and is found by its name. A field that is computed at",
        "search time is an SPL expression over the others.",
        "",
        *_SHAPES,
        "",
        "## Fields of every source",
        "",
        *table(["field", "expression"], ([code(c.name), _expression(c)] for c in common)),
    ]
    out += ["", *_describe_what_is_told(), "", *_describe_own_sources()]
    for family in families.values():
        out += ["", *_family(family, common)]
    return page(out)


def _common_fields(families: Iterable[Family]) -> Sequence[Column]:
    """Fields that all families compute in the same way."""
    all_families = list(families)
    counts = Counter((c.name, c.expr) for f in all_families for c in _computed(f))
    return [c for c in _computed(all_families[0]) if counts[c.name, c.expr] == len(all_families)]


def _computed(family: Family) -> Iterator[Column]:
    return (c for c in family.schema.columns if c.expr is not None)


def _datasets(family: Family) -> list[str]:
    rows = family.definition.values.get("datasets", ()) if family.definition else ()
    return list(dict.fromkeys(f"{row['model']}.{row['dataset']}" for row in rows))


_OWN_SOURCE = Path(__file__).parent / "examples" / "own_source"

_OWN_KEYS = (
    ("name", "lower-case letters, digits and underscores; the table of the events is `raw_NAME`"),
    ("title", "what people call the product"),
    ("priority", "a whole number: sources are tried in this order (the last one below has 100)"),
    (
        "recognise",
        "a list of mappings, field to value or values; an event belongs to the source if all "
        "conditions of one mapping hold. Case does not count; `*` is any value",
    ),
    ("time", "fields that can hold the time; the first that does, counts (ISO-8601 or epoch)"),
    ("host", "fields that can hold the host, likewise"),
    ("source, sourcetype, index", "what searches find the events by; `{field}` puts a value in"),
    (
        "labels",
        "optional: the `source` and `sourcetype` of events that are the source's whatever is in "
        "them, where a sender or a test gives these; a list of mappings, `*` stands for any text. "
        "Without it that is its `sourcetype`, if no other source has the same",
    ),
    (
        "open",
        "optional: names of further fields that events may have (`requestParameters.*`), for "
        "`escudo source coverage`",
    ),
    (
        "fields",
        "the fields that get a column: those that searches ask for; `{name: x, type: multivalue}` "
        "where there are several values. All others of an event are kept, too, and found by name",
    ),
    ("calculated", "optional: fields computed at search time, each an SPL eval expression"),
    (
        "datasets",
        "optional: the datasets of data models that events have rows in. `events` says which "
        "(a declared field, and its value or values; case counts), `where` is an optional eval "
        "condition, `fields` an eval expression for each field that the source can fill, "
        "`absent` (optional) the reason for one that it cannot",
    ),
    ("text", "how lines of text are read: [Sources of text](text_sources.md)"),
    ("samples", "optional: texts and the rows that they become, for `escudo source test`"),
)


def _describe_what_is_told() -> Iterator[str]:
    """What is warned of, and which part of an event decides what it is."""
    yield "## What is not understood"
    yield ""
    yield (
        "Nothing is passed over in silence. A file has a warning where events look like "
        "Windows events but have no known form (SRC060), where none met a source "
        "(SRC061), and where process events have neither image nor command line (SRC062); "
        "`escudo hunt` ends with 3 then. An event whose time cannot be read has the "
        "file's, and the field `time_source=file` (SRC063); 03/05/2024 is read with "
        "`--date-order dmy` or `mdy` only. Lines of other programs, and headings between "
        "events, are counted as other lines."
    )
    yield ""
    yield (
        "What an event is, whence and when, is said by its System part. An event's own "
        "`EventID`, `Channel`, `Computer` and `SystemTime` are `EventData.EventID` and so "
        "on; a provider's name is `System.Name` where the event has a `Name` of its own."
    )
    yield ""
    yield (
        'In a search `source="WinEventLog:X"` finds the channel in either rendering: also '
        "the source `XmlWinEventLog:X`, as Escudo names the channel. So searches that "
        "were converted from Sigma, and macros, run as they are. `where` and `stats` "
        "compare the text itself."
    )
    yield ""


def _describe_own_sources() -> Iterator[str]:
    """How to add a source, with an example whose files are in ``docs/examples/own_source``."""
    yield "## Own sources"
    yield ""
    yield "A YAML file teaches Escudo a source that it does not know, as long as the events are"
    yield "in a format that it reads (JSON lines, say), or are lines of text, whose form the file"
    yield "describes ([how](text_sources.md)). Put such files into a folder, and name it"
    yield "with `--sources` wherever a command reads logs or opens a lake. A field of an object"
    yield "inside an event is named by its path (`client.ip`), and stands in single quotes in an"
    yield "eval expression. `acme_vpn.yml`:"
    yield ""
    yield "```yaml"
    yield (_OWN_SOURCE / "sources" / "acme_vpn.yml").read_text("utf-8").rstrip()
    yield "```"
    yield ""
    yield "For such events (`vpn.json`):"
    yield ""
    yield "```json"
    yield (_OWN_SOURCE / "vpn.json").read_text("utf-8").rstrip()
    yield "```"
    yield ""
    yield "All files of the example, with a detection over `Authentication`, are in"
    yield "[examples/own_source](examples/own_source):"
    yield ""
    yield "```"
    yield "cd docs/examples/own_source"
    yield "escudo hunt vpn.json --sources sources --content content"
    yield "escudo ingest vpn.json --sources sources --lake lake"
    yield "escudo search 'index=vpn | stats count by account outcome' --sources sources --lake lake"
    yield "```"
    yield ""
    yield from table(["key", "what"], ([f"`{key}`", what] for key, what in _OWN_KEYS))
    yield ""
    yield from _describe_lists()


def _describe_lists() -> Iterator[str]:
    """The CSV files of assets and identities."""
    yield "## Assets and identities"
    yield ""
    yield "A folder that `--sources` names may hold `assets.csv` and `identities.csv` (also"
    yield "`NAME_assets.csv`, `NAME_identities.csv`), with the columns of Splunk Enterprise"
    yield "Security. Rows of the data models that are made with them have `dest_priority`,"
    yield "`src_bunit`, `dvc_category`, `dest_should_update` ... of the assets, and"
    yield "`user_priority`, `src_user_category` ... of the identities:"
    yield ""
    yield "```"
    yield "ip,mac,nt_host,dns,owner,priority,bunit,category,is_expected"
    yield "192.0.2.1|192.0.2.2,,www,www.example.com,ida,critical,shop,web|pci,true"
    yield "198.51.100.0/24,,,,,low,partners,partner,"
    yield "```"
    yield ""
    yield "An asset is found by an address, a network or a range of addresses, a MAC address, its"
    yield "NT host or DNS name; an identity by `identity`, its mail address, and that without its"
    yield "domain. Case does not matter. `CORP\\ida` is `ida` where the list has no such name."
    yield "Lines that share a key are one: their categories are joined, of other columns the first"
    yield "value counts. What an event itself says stays."
    yield ""
    yield "A row has what the lists said when it came in, as in an accelerated data model; rows"
    yield "that are there do not change with the lists. Raw events have no such fields, and start"
    yield "and end dates of identities are not looked at."
    yield ""


def _family(family: Family, common: Sequence[Column]) -> Iterator[str]:
    yield f"## {family.title}"
    yield ""
    rules = [_rule(rule.conditions) for rule in family.rules]
    yield from table(
        ["", ""],
        [
            ["family, table", f"{code(family.name)}, {code(family.schema.table)}"],
            ["`source`", code_or_dash(family.source)],
            ["`sourcetype`", code_or_dash(family.sourcetype)],
            ["`index`", code_or_dash(family.index)],
            *([["read as", family.text.description]] if family.text is not None else []),
            *(["recognised when" if n == 0 else "or when", rule] for n, rule in enumerate(rules)),
            ["time from", ", ".join(map(code, family.time)) or "the reader"],
            ["host from", ", ".join(map(code, family.host)) or "the reader"],
        ],
    )
    if family.declared:
        yield ""
        yield "Fields with a column:"
        yield ""
        yield from _names(list(family.declared.values()))
    shared = {(c.name, c.expr) for c in common}
    own = [c for c in _computed(family) if (c.name, c.expr) not in shared]
    if own:
        yield ""
        yield "Fields computed at search time:"
        yield ""
        yield from table(["field", "expression"], ([code(c.name), _expression(c)] for c in own))


def _rule(conditions: Iterable[tuple[str, Iterable[str]]]) -> str:
    """The conditions of a rule in words; ``*`` asks that the field is there."""
    texts = []
    for name, values in conditions:
        wanted = " or ".join(code(value) for value in sorted(values))
        texts.append(f"{code(name)} is {'there' if wanted == code('*') else wanted}")
    return " and ".join(texts)


def _names(columns: Sequence[Column]) -> list[str]:
    """Names side by side; a list of texts is marked."""
    names = [code(c.name) + (" (list)" if c.type is FieldType.MULTIVALUE else "") for c in columns]
    return grid(names, _NAMES_IN_A_LINE)


def _expression(column: Column) -> str:
    """The SPL of a field; a long one is only to be read where it stands."""
    text = column.expr or ""
    return (
        code(text) if len(text) <= _LONGEST_EXPRESSION else cell("a longer one, in the YAML file")
    )
