"""Text logs to columns: Escudo's readers, and DuckDB's and Polars' bare reading of the same fields.

Escudo gives Arrow tables with raw text, time and all fields; the alternatives the fields only.
"""

from __future__ import annotations

import random
from pathlib import Path

import duckdb
import polars as pl

from benchmarks.inputs import SEED, cache
from escudo.core.errors import Diagnostic
from escudo.sources import load_families
from escudo.sources.opening import open_logs
from escudo.sources.reading import RawBatch, read
from escudo.startup import prepare_process

KINDS = ("key=value", "delimited", "auditd")
_PAIRS = """
site server dest_port dest_ip src src_ip user time_local protocol status bytes_out bytes_in
http_referer http_user_agent nginx_version uri_query uri_path http_method response_time
request_time category https
"""
_AUDIT = """
type msg arch syscall success exit a0 a1 a2 a3 items ppid pid auid uid gid euid suid fsuid egid
sgid fsgid tty ses comm exe subj key argc cwd item name inode dev mode ouid ogid rdev nametype
proctitle
"""
_FIELDS = {"key=value": _PAIRS.split(), "auditd": _AUDIT.split()}
_VALUES = 66
"""Values of a row of the delimited log."""


def make_log(kind: str, events: int) -> Path:
    """A log of a kind, made once."""
    path = cache() / f"text-{kind.replace('=', '-')}-{events}-{SEED}.log"
    if not path.exists():
        partial = path.with_suffix(".partial")
        chance = random.Random(SEED)
        make = {"key=value": _pairs, "delimited": _values, "auditd": _records}[kind]
        with partial.open("w", encoding="utf-8") as file:
            made = 0
            while made < events:
                lines = make(chance, made)[: events - made]
                file.writelines(f"{line}\n" for line in lines)
                made += len(lines)
        partial.rename(path)
    return path


def _pairs(chance: random.Random, number: int) -> list[str]:
    status = chance.choice((200, 200, 200, 302, 404, 500))
    host = f"203.0.113.{chance.randrange(256)}"
    return [
        f'site="www{number % 9}.example.com" server="www.example.com" dest_port="443" '
        f'dest_ip="192.0.2.1" src="{host}" src_ip="{host}" user="-" time_local="22/Feb/2024:'
        f'{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02} -0500" '
        f'protocol="HTTP/1.1" status="{status}" bytes_out="{chance.randrange(9999)}" '
        f'bytes_in="{chance.randrange(900)}" http_referer="-" http_user_agent="Mozilla/5.0 (X11; '
        f'Linux x86_64) a/{chance.randrange(40)}" nginx_version="1.18.0" uri_query="q={number}" '
        f'uri_path="/a/{chance.randrange(500)}" http_method="GET" response_time="0.250" '
        f'request_time="0.{chance.randrange(999):03}" category="text/html" https="on"'
    ]


def _values(chance: random.Random, number: int) -> list[str]:
    when = f"2024/02/22 {number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}"
    source = f"10.0.{chance.randrange(256)}.{chance.randrange(256)}"
    dest = f"203.0.113.{chance.randrange(256)}"
    return [
        f"1,{when},0128,TRAFFIC,end,2305,{when},{source},{dest},198.51.100.4,{dest},r{number % 7}"
        f",,,ssl,vsys1,Trust,Untrust,ethernet1/2,ethernet1/1,fwd,{when},{number},1,"
        f"{chance.randrange(1024, 65535)},443,{chance.randrange(1024, 65535)},443,0x4,tcp,allow"
        f",{chance.randrange(9999)},{chance.randrange(9999)},810,25,{when},65,any,0,{number},0x0,"
        f'"10.0.0.0-10.255.255.255",United States,0,14,11,tcp-fin,0,0,0,0,,fw1,from-policy,,,0,,0,,'
        "N/A,0,0,0,0,0862e58b-4a54-436b"
    ]


def _records(chance: random.Random, number: int) -> list[str]:
    mark = f"msg=audit({1723035666 + number // 50}.{number % 1000:03}:{number}):"
    pid, program = chance.randrange(300, 30000), chance.choice(("ls", "find", "curl", "bash"))
    return [
        f"type=SYSCALL {mark} arch=c000003e syscall=59 success=yes exit=0 a0=556a6d697a58 "
        f"a1=556a6d68ad00 a2=556a6d69c980 a3=0 items=2 ppid={pid - 1} pid={pid} auid=1000 uid=0 "
        "gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts1 ses=1 "
        f'comm="{program}" exe="/usr/bin/{program}" subj=unconfined key="rootcmd"',
        f'type=EXECVE {mark} argc=3 a0="{program}" a1="-l" a2="/srv/{number}"',
        f'type=CWD {mark} cwd="/home/ida"',
        f'type=PATH {mark} item=0 name="/usr/bin/{program}" inode=1292 dev=103:01 mode=0100755 '
        "ouid=0 ogid=0 rdev=00:00 nametype=NORMAL",
        f"type=PROCTITLE {mark} proctitle=6C73002D6C002F737276",
    ]


def escudo_read(_folder: Path, *, source: str) -> int:
    """From the file to Arrow tables."""
    prepare_process()
    families = load_families()
    rows = 0
    for stream in open_logs([source], judge=families.judge_with(None)):
        if isinstance(stream, Diagnostic):
            raise RuntimeError(stream.message)
        for item in read(stream, families):
            if isinstance(item, RawBatch):
                rows += item.table.num_rows
    return rows


def duckdb_read(_folder: Path, *, source: str, kind: str) -> int:
    """DuckDB: ``read_csv``, or a regular expression for each field that is known."""
    with duckdb.connect() as connection:
        if kind == "delimited":
            columns = ", ".join(f"'c{n}': 'VARCHAR'" for n in range(_VALUES))
            sql = (
                f"SELECT * FROM read_csv('{source}', header = false, quote = '\"', "
                f"null_padding = true, columns = {{{columns}}})"
            )
        else:
            fields = ", ".join(
                rf"""regexp_extract(line, '\b{name}="?([^" ]*)', 1) AS "{name}" """
                for name in _FIELDS[kind]
            )
            sql = (
                f"SELECT line, {fields} FROM read_csv('{source}', header = false, quote = '', "
                "delim = '\x01', escape = '', columns = {'line': 'VARCHAR'})"
            )
        return connection.sql(sql).to_arrow_table().num_rows


def polars_read(_folder: Path, *, source: str, kind: str) -> int:
    """Polars: ``read_csv``, or a regular expression for each field that is known."""
    if kind == "delimited":
        names = [f"c{n}" for n in range(_VALUES)]
        frame = pl.read_csv(
            source,
            has_header=False,
            new_columns=names,
            infer_schema=False,
            truncate_ragged_lines=True,
        )
        return frame.to_arrow().num_rows
    lines = pl.read_csv(
        source, has_header=False, new_columns=["line"], separator="\x01", quote_char=None
    )
    fields = [
        pl.col("line").str.extract(rf'\b{name}="?([^" ]*)').alias(name) for name in _FIELDS[kind]
    ]
    return lines.with_columns(fields).to_arrow().num_rows
