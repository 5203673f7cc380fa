"""An EVTX file -> its records as XML, by the ``evtx`` library; ``evtx_file`` calls it.

The library holds the interpreter's lock while it decodes, so that all other threads wait for it.
As a program of its own (``decode_apart``) this module works beside them: a large log comes into a
lake in three quarters of the time. It imports nothing of the project then, and starts in 60 ms.
"""

from __future__ import annotations

import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import count, islice
from typing import Any, TypeAlias

import evtx

Damage: TypeAlias = tuple[str, str, str]
"""What could not be decoded: an error's code, its place, its message."""

Item: TypeAlias = bytes | str | Damage | bool
"""A block of records, one after the other; a record with events in its data; damage; at
last, whether it is an event log at all."""

BLOCK_BYTES = 16 * 1024 * 1024
"""Bytes of records that are handed on together, about."""
_AT_ONCE = 1000
"""Records that are taken from the library before their bytes are added up."""
_ATTEMPTS = 2
"""How often a process is started for a file: a decoder that dies goes on where it was, once."""
_PROLOG = '<?xml version="1.0" encoding="utf-8"?>\n'
_EDGES = (b"<Event", b"</Event>")
"""What a record begins and ends with."""
_TAGS = (b"<Event>", b"<Event ", b"<Event/", b"<Event\n", b"</Event>")
"""Tags named Event; a record with more than two of them has some in its data."""
_UNREADABLE = (RuntimeError, OSError, ValueError)


def decode(path: str, block_bytes: int = BLOCK_BYTES) -> Iterator[Item]:
    """The records of a file in blocks of about so many bytes, and what was in the way of one."""
    try:
        records = iter(evtx.PyEvtxParser(path, indent=False).records())
    except _UNREADABLE as error:
        yield "SRC011", "offset 0", f"not readable as EVTX: {error}"
        yield False
        return
    texts: list[bytes] = []
    size = 0
    done = 0
    more = True
    while more:
        before = len(texts)
        try:
            texts.extend(_text(record) for record in islice(records, _AT_ONCE) if record)
        except _UNREADABLE as error:
            yield "SRC010", f"after record {done + len(texts)}", str(error)
        else:
            more = len(texts) == before + _AT_ONCE
        size += sum(map(len, texts[before:]))
        if size > block_bytes or not more:
            done += len(texts)
            block = b"".join(texts)
            if sum(map(block.count, _TAGS)) != len(_EDGES) * len(texts):
                plain = [sum(map(text.count, _TAGS)) == len(_EDGES) for text in texts]
                yield from (t.decode() for t, whole in zip(texts, plain, strict=True) if not whole)
                block = b"".join(t for t, whole in zip(texts, plain, strict=True) if whole)
            yield block
            texts, size = [], 0
    yield True


def _text(record: dict[str, Any]) -> bytes:
    text: str = record["data"]
    return text.removeprefix(_PROLOG).encode("utf-8", "replace")


def decode_apart(path: str) -> Iterator[Item]:
    """As ``decode``, in another process.

    One that dies is started anew once, and what it had given is left out. If it dies again, what
    it gave is kept, and the rest is lost.
    """
    given = 0
    ended = 0
    for _ in range(_ATTEMPTS):
        command = [sys.executable, "-P", __file__, path]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            try:
                for number in count():
                    item: Item = pickle.load(child.stdout)  # nosec B301: our child
                    if number < given:
                        continue
                    given += 1
                    yield item
                    if isinstance(item, bool):
                        return
            except (EOFError, pickle.UnpicklingError):
                ended = child.wait()
            finally:
                child.kill()
    yield "SRC012", "the end", f"the process that decoded it ended, {_ATTEMPTS} times: {ended}"
    yield True


def main() -> None:
    """Writes what ``decode`` gives as pickles to standard output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(BrokenPipeError):
        for item in decode(sys.argv[1]):
            pickle.dump(item, sys.stdout.buffer)
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
