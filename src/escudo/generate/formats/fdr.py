"""CrowdStrike Falcon Data Replicator: flat JSON, every value a text.

``ProcessRollup2`` has the fields of the example log of Splunk's data source object. The host is
known by ``aid`` only; process ids of the sensor (``TargetProcessId``, ``ParentProcessId``) are
not Windows' (``RawProcessId``); paths are device paths; ``timestamp`` (milliseconds, when the
cloud received the event) is later than ``ProcessStartTime`` / ``ContextTimeStamp`` (seconds).
"""

from __future__ import annotations

import numpy as np
import polars as pl

from escudo.generate.catalog import file_hashes
from escudo.generate.columns import (
    Bytes,
    Ints,
    big_endian,
    dashed,
    fixed,
    gather,
    hex_digits,
    joined,
    numbers,
)
from escudo.generate.formats.base import (
    Format,
    Part,
    Tables,
    by_program_and_windows,
    program_row,
    program_seed,
)
from escudo.generate.formats.evtx_json import escape_json, unescape_json
from escudo.generate.ids import target_process_id

_DEVICE = escape_json("\\Device\\HarddiskVolume3")
_BUILD = "1007.3.0018207.1"
_LEVELS = ("4096", "8192", "12288", "16384")

Field = tuple[str, Part]


def _line(tables: Tables, frame: pl.DataFrame, record: Ints, fields: list[Field]) -> pl.Series:
    """A line of the given fields and those that every event has."""
    host, t = frame["host"].to_numpy(), frame["t"].to_numpy()
    digits = hex_digits(_identity(t, record), upper=False)
    late = t // 1_000_000 + 90 + (record * 131) % 2900
    common: list[Field] = [
        ("event_platform", "Win"),
        ("ConfigBuild", _BUILD),
        ("ConfigStateHash", "840884426"),
        ("Entitlements", "15"),
        ("EffectiveTransmissionClass", "3"),
        ("EventOrigin", "1"),
        ("aip", "203.0.113.10"),
        ("aid", gather(tables.aid, host)),
        ("cid", tables.world.customer),
        ("id", fixed(dashed(digits))),
        ("timestamp", numbers(late)),
    ]
    parts: list[Part] = []
    before = "{"
    for name, value in [*fields, *common]:
        if isinstance(value, str):
            before += f'"{name}":"{value}",'
        else:
            parts += [f'{before}"{name}":"', value]
            before = '",'
    return joined([*parts, before.removesuffix(",") + "}\n"], len(frame))


def _identity(t: Ints, record: Ints) -> Bytes:
    """16 bytes, different for each event."""
    mixed = (record * 2_654_435_761 + t) % (1 << 62)
    return np.concatenate([big_endian(mixed, 8), big_endian(t * 31 + record, 8)], axis=1)


def _seconds(t: Ints) -> pl.Series:
    """``1713805173.321``."""
    millis = t // 1_000_000
    return joined([numbers(millis // 1000), ".", numbers(millis % 1000).str.zfill(3)], len(t))


def _device(image: pl.Series) -> pl.Series:
    """``C:\\Windows`` -> ``\\Device\\HarddiskVolume3\\Windows``."""
    return joined([_DEVICE, image.str.slice(2)], len(image))


def _process(tables: Tables, frame: pl.DataFrame, record: Ints) -> pl.Series:
    t, session = frame["t"].to_numpy(), frame["session"].to_numpy()
    sequence, program = frame["sequence"].to_numpy(), program_row(tables, frame)
    parent = numbers(target_process_id(frame["parent_sequence"].to_numpy()))
    programs = tables.world.catalog.programs
    logon = numbers(tables.sessions.logon_id[session])
    parent_logon = numbers(tables.sessions.logon_id[frame["parent_session"].to_numpy()])
    # The System process (row -1) has no file.
    bases = pl.Series([p.base_name for p in programs] + ["System"])
    fields: list[Field] = [
        ("event_simpleName", "ProcessRollup2"),
        ("name", "ProcessRollup2V19"),
        ("ProcessCreateFlags", numbers(67_108_864 + (sequence * 7) % 3 * 525_332)),
        ("IntegrityLevel", gather(pl.Series(_LEVELS), frame["level"].to_numpy())),
        ("ParentProcessId", parent),
        ("SourceProcessId", parent),
        ("SHA1HashData", "0" * 40),
        ("UserSid", gather(tables.session.sid, session)),
        ("TokenType", "1"),
        ("ProcessEndTime", ""),
        ("AuthenticodeHashData", _hash(tables, program, "SHA1")),
        ("ParentBaseFileName", gather(bases, frame["parent_program"].to_numpy() % len(bases))),
        ("ImageSubsystem", "3"),
        ("SessionId", gather(tables.session.terminal, session)),
        ("ShowWindowFlags", "1"),
        ("Tags", "27, 40, 151, 874, 924, 12094627905582, 12094627906234"),
        ("RawProcessId", numbers(frame["pid"].to_numpy())),
        ("MD5HashData", _hash(tables, program, "MD5")),
        ("SHA256HashData", _hash(tables, program, "SHA256")),
        ("ProcessSxsFlags", "64"),
        ("AuthenticationId", logon),
        ("WindowFlags", numbers(1 + sequence % 2 * 128)),
        ("CommandLine", frame["command"]),
        ("ParentAuthenticationId", parent_logon),
        ("TargetProcessId", numbers(target_process_id(sequence))),
        ("ImageFileName", _device(frame["image"])),
        ("SourceThreadId", numbers(30_000_000_000 + sequence * 104_729)),
        ("ProcessStartTime", _seconds(t)),
        ("ProcessParameterFlags", "24577"),
        ("SignInfoFlags", "8683538"),
    ]
    return _line(tables, frame, record, fields)


def _hash(tables: Tables, program: Ints, name: str) -> pl.Series:
    world = tables.world
    hashes = by_program_and_windows(
        tables, name, lambda p, w: file_hashes(program_seed(world, p, w))[name].lower()
    )
    return gather(hashes, program)


def _context(frame: pl.DataFrame) -> list[Field]:
    return [
        ("ContextProcessId", numbers(target_process_id(frame["sequence"].to_numpy()))),
        ("ContextTimeStamp", _seconds(frame["t"].to_numpy())),
    ]


def _end(tables: Tables, frame: pl.DataFrame, record: Ints) -> pl.Series:
    fields: list[Field] = [
        ("event_simpleName", "EndOfProcess"),
        ("name", "EndOfProcessV16"),
        *_context(frame),
        ("TargetProcessId", numbers(target_process_id(frame["sequence"].to_numpy()))),
        ("RawProcessId", numbers(frame["pid"].to_numpy())),
        ("ProcessEndTime", _seconds(frame["t"].to_numpy())),
        ("ExitCode", "0"),
    ]
    return _line(tables, frame, record, fields)


def _dns(tables: Tables, frame: pl.DataFrame, record: Ints) -> pl.Series:
    fields: list[Field] = [
        ("event_simpleName", "DnsRequest"),
        ("name", "DnsRequestV4"),
        *_context(frame),
        ("DomainName", frame["a"]),
        ("RequestType", "1"),
    ]
    return _line(tables, frame, record, fields)


def _net(tables: Tables, frame: pl.DataFrame, record: Ints) -> pl.Series:
    host, t = frame["host"].to_numpy(), frame["t"].to_numpy()
    protocol = frame["a"].replace_strict({"tcp": "6", "udp": "17"}, return_dtype=pl.String)
    fields: list[Field] = [
        ("event_simpleName", "NetworkConnectIP4"),
        ("name", "NetworkConnectIP4V12"),
        *_context(frame),
        ("Protocol", protocol),
        ("LocalAddressIP4", gather(tables.address, host)),
        ("LocalPort", numbers(49152 + (record * 7 + t // 100) % 16_000)),
        ("RemoteAddressIP4", frame["b"]),
        ("RemotePort", frame["d"]),
        ("ConnectionDirection", "0"),
        ("InContext", "0"),
    ]
    return _line(tables, frame, record, fields)


FDR = Format(
    "fdr",
    escape_json,
    unescape_json,
    {
        "process": ("fdr", _process),
        "end": ("fdr", _end),
        "dns": ("fdr", _dns),
        "net": ("fdr", _net),
    },
    audit_all=False,
)
