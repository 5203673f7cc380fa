"""The logs that benchmarks read: made once, kept in the system's folder for temporary files."""

from __future__ import annotations

import os
import struct
import tempfile
import zlib
from pathlib import Path

from escudo.generate.generate import generate

SEED = 20240514
_FILE_HEADER = 4096
_CHUNK = 65536


def cache() -> Path:
    """Where inputs are kept; ``ESCUDO_BENCH_CACHE`` overrides."""
    default = Path(tempfile.gettempdir()) / "escudo-benchmarks"
    folder = Path(os.environ.get("ESCUDO_BENCH_CACHE", default))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def generated(format: str, events: int) -> Path:
    """A generated log. The name holds what it is made of, so that a change makes a new one."""
    ending = {"xml": "xml", "4688": "xml"}.get(format, "jsonl")
    path = cache() / f"{format}-{events}-{SEED}-{_generator_version()}.{ending}"
    if not path.exists():
        partial = path.with_suffix(".partial")
        generate(events, SEED, format, partial)
        partial.rename(path)
    return path


def shared(name: str) -> Path | None:
    """A folder of real data, if it is there (as in ``tests/shared_data.py``)."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("ESCUDO_SHARED_DATA", default)) / name
    return folder if folder.is_dir() else None


def large_evtx(folder: Path, copies: int) -> Path:
    """One event log of the chunks of many, ``copies`` times.

    The chunks of an EVTX file stand on their own (libyal, "Windows XML Event Log (EVTX) format"),
    so a file header and any chunks make a log.
    """
    path = cache() / f"real-{copies}.evtx"
    if path.exists():
        return path
    chunks: list[bytes] = []
    header = b""
    for file in sorted(folder.rglob("*.evtx")):
        data = file.read_bytes()
        header = header or data[:_FILE_HEADER]
        for at in range(_FILE_HEADER, len(data) - _CHUNK + 1, _CHUNK):
            chunk = data[at : at + _CHUNK]
            if chunk[:8] == b"ElfChnk\x00":
                chunks.append(chunk)
    partial = path.with_suffix(".partial")
    with open(partial, "wb") as out:
        out.write(_header(header, len(chunks) * copies))
        for _ in range(copies):
            out.writelines(chunks)
    partial.rename(path)
    return path


def _header(header: bytes, chunks: int) -> bytes:
    changed = bytearray(header)
    struct.pack_into("<QQ", changed, 8, 0, chunks - 1)
    struct.pack_into("<H", changed, 42, min(chunks, 0xFFFF))
    struct.pack_into("<I", changed, 124, zlib.crc32(bytes(changed[:120])))
    return bytes(changed)


def _generator_version() -> str:
    """A checksum of the generator's source: a changed generator makes a new file."""
    folder = Path(__file__).resolve().parents[1] / "src" / "escudo" / "generate"
    checksum = 0
    for file in sorted([*folder.rglob("*.py"), *folder.rglob("*.yml")]):
        checksum = zlib.crc32(file.read_bytes(), checksum)
    return f"{checksum:08x}"
