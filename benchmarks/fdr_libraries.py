"""Falcon Data Replicator JSON to Parquet by the fastest library paths: fields only."""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl

FIELDS = [
    "event_simpleName",
    "name",
    "ProcessCreateFlags",
    "IntegrityLevel",
    "ParentProcessId",
    "SourceProcessId",
    "SHA1HashData",
    "UserSid",
    "TokenType",
    "ProcessEndTime",
    "AuthenticodeHashData",
    "ParentBaseFileName",
    "ImageSubsystem",
    "SessionId",
    "ShowWindowFlags",
    "Tags",
    "RawProcessId",
    "MD5HashData",
    "SHA256HashData",
    "ProcessSxsFlags",
    "AuthenticationId",
    "WindowFlags",
    "CommandLine",
    "ParentAuthenticationId",
    "TargetProcessId",
    "ImageFileName",
    "SourceThreadId",
    "ProcessStartTime",
    "ProcessParameterFlags",
    "SignInfoFlags",
    "ContextProcessId",
    "ContextTimeStamp",
    "ExitCode",
    "DomainName",
    "RequestType",
    "Protocol",
    "LocalAddressIP4",
    "LocalPort",
    "RemoteAddressIP4",
    "RemotePort",
    "ConnectionDirection",
    "InContext",
    "event_platform",
    "ConfigBuild",
    "ConfigStateHash",
    "Entitlements",
    "EffectiveTransmissionClass",
    "EventOrigin",
    "aip",
    "aid",
    "cid",
    "id",
    "timestamp",
]
"""All fields of the generated events (``escudo.generate.formats.fdr``)."""


def duckdb_read_json(folder: Path, *, source: str, ordered: bool = True) -> int:
    """DuckDB ``read_json`` with the columns declared, straight to Parquet.

    Rows that are not ``ordered`` are written as threads come by them: which event came first is
    lost, since two may have one time.
    """
    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in FIELDS)
    with duckdb.connect() as connection:
        connection.execute(f"SET preserve_insertion_order = {str(ordered).lower()}")
        (rows,) = connection.execute(
            f"""COPY (
              SELECT make_timestamptz(CAST("timestamp" AS BIGINT) * 1000) AS _time, *
              FROM read_json('{source}', format = 'newline_delimited', columns = {{{columns}}})
            ) TO '{folder / "events.parquet"}'
            (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"""
        ).fetchone() or (0,)
    return int(rows)


def polars_ndjson(folder: Path, *, source: str) -> int:
    """Polars ``scan_ndjson`` with the schema declared, streamed to Parquet."""
    path = folder / "events.parquet"
    time = pl.from_epoch(pl.col("timestamp").cast(pl.Int64), time_unit="ms")
    pl.scan_ndjson(source, schema=dict.fromkeys(FIELDS, pl.String)).with_columns(
        time.alias("_time")
    ).sink_parquet(path, compression="zstd", compression_level=1)
    return int(pl.scan_parquet(path).select(pl.len()).collect().item())
