from __future__ import annotations

import codecs

import pytest

from escudo.sources.format_detection import Format, detect_encoding, detect_format

EVENT = "<Event xmlns='x'><System></System></Event>"


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (b"ElfFile\0" + bytes(100), Format.EVTX),
        (bytes(4096) + b"ElfChnk\0", Format.EVTX),
        (EVENT.encode(), Format.EVENT_XML),
        (b"<?xml version='1.0'?>\n<Events>\n" + EVENT.encode(), Format.EVENT_XML),
        (b"May 11 18:10:20 host sysmon: " + EVENT.encode(), Format.EVENT_XML),
        (codecs.BOM_UTF8 + EVENT.encode(), Format.EVENT_XML),
        (EVENT.encode("utf-16"), Format.EVENT_XML),
        (EVENT.encode("utf-16-be"), Format.EVENT_XML),
        (EVENT.encode("utf-16-le"), Format.EVENT_XML),
        (b'{"a":1}\n', Format.JSON_EVENTS),
        (b'[\n {"a":1}]', Format.JSON_EVENTS),
        (b"[]", Format.JSON_EVENTS),
        ('{"a":1}'.encode("utf-16"), Format.JSON_EVENTS),
        (b'half a line"}\n{"EventID":1,"Message":"<Event>"}\n', Format.JSON_EVENTS),
        (b'{"event_simpleName":"ProcessRollup2"}', Format.FDR),
        (b"MZ\x90\0", None),
        (b"GNU GENERAL PUBLIC LICENSE", None),
        (b"#separator \\x09\n#fields ts uid", None),
        (b"<html><body></body></html>", None),
        (b"\0" * 4096, None),
        (b"", None),
    ],
)
def test_the_format_is_told_by_content(head: bytes, found: Format | None) -> None:
    assert detect_format(head) is found


@pytest.mark.parametrize(
    ("head", "encoding"),
    [
        (b"abc", "utf-8"),
        (codecs.BOM_UTF16_LE + "a".encode("utf-16-le"), "utf-16-le"),
        (codecs.BOM_UTF16_BE + "a".encode("utf-16-be"), "utf-16-be"),
        ("<Event>".encode("utf-16-be"), "utf-16-be"),
        (b"\0" * 64, "utf-8"),
        (b"", "utf-8"),
    ],
)
def test_encodings(head: bytes, encoding: str) -> None:
    assert detect_encoding(head) == encoding
