"""Windows event XML: events one a line, many on a line, over many lines, or in ``<Events>``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from escudo.sources.assemble import Events
from escudo.sources.formats.rejected import EXCERPT_BYTES, Rejected
from escudo.sources.formats.rows import from_rows
from escudo.sources.formats.text import DamagedError, blocks, cut_after
from escudo.sources.formats.xml_element import Field, NotAnEventError, event_fields
from escudo.sources.opening import LogStream

_END = b"</Event>"
_FRAME = re.compile(rb"<Event(?=[\s>]).*?</Event\s*>", re.DOTALL)
_START = re.compile(rb"<Event(?=[\s>/])")
_WRAPPING = re.compile(rb"<\?xml.*?\?>|</?Events(?:\s[^>]*)?>|<!--.*?-->|\xef\xbb\xbf", re.DOTALL)


def read(stream: LogStream) -> Iterator[Events | Rejected]:
    """The events of a stream, a block at a time, and what is between them but is none."""
    line = 1
    with stream.open() as opened:
        try:
            for block in cut_after(blocks(opened), _END):
                yield from _Block(stream.name, block, line).events()
                line += block.count(b"\n")
        except DamagedError as error:
            yield Rejected(stream.name, f"line {line}", "SRC006", str(error), b"")


@dataclass(frozen=True, slots=True)
class _Block:
    name: str
    data: bytes
    line: int

    def events(self) -> Iterator[Events | Rejected]:
        rows: list[dict[str, Field]] = []
        raws: list[str] = []
        at = 0
        for frame in _FRAME.finditer(self.data):
            if frame.start() < at:
                continue
            start = frame.start()
            inner = [m.start() for m in _START.finditer(self.data, start + 1, frame.end())]
            prefix, rejected = self._between(at, start)
            yield from rejected
            text = self.data[start : frame.end()]
            at = frame.end()
            try:
                fields = event_fields(text.decode("utf-8", "replace"))
            except NotAnEventError as error:
                if not inner:
                    yield self._rejected(start, at, error.code, str(error))
                    continue
                # A truncated event has swallowed the start of the next one.
                yield self._rejected(start, inner[-1], error.code, str(error))
                text = self.data[inner[-1] : at]
                prefix = b""
                try:
                    fields = event_fields(text.decode("utf-8", "replace"))
                except NotAnEventError as second:
                    yield self._rejected(inner[-1], at, second.code, str(second))
                    continue
            rows.append(fields)
            raws.append((prefix + text).decode("utf-8", "replace"))
        tail = _START.search(self.data, at)
        stop = tail.start() if tail else len(self.data)
        yield from self._between(at, stop, last=True)[1]
        if tail:
            yield self._rejected(stop, len(self.data), "SRC020", "an event that breaks off")
        if rows:
            yield from_rows(rows, raws)

    def _between(
        self, start: int, stop: int, *, last: bool = False
    ) -> tuple[bytes, list[Rejected]]:
        """What stands before an event: the header of its own line, and lines that are no event."""
        gap = self.data[start:stop]
        if not gap.strip():
            return b"", []
        gap = _WRAPPING.sub(b"", gap)
        lines = gap.split(b"\n")
        prefix = b"" if last else lines.pop()
        found = []
        for number, line in enumerate(lines):
            if line.strip():
                at = self.line + self.data.count(b"\n", 0, start) + number
                found.append(
                    Rejected(
                        self.name,
                        f"line {at}",
                        "SRC021",
                        "text outside of an event",
                        line.strip()[:EXCERPT_BYTES],
                    )
                )
        return prefix.lstrip() if prefix.strip() else b"", found

    def _rejected(self, start: int, stop: int, code: str, message: str) -> Rejected:
        at = self.line + self.data.count(b"\n", 0, start)
        return Rejected(
            self.name, f"line {at}", code, message, self.data[start:stop][:EXCERPT_BYTES]
        )
