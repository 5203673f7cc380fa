"""Files of logs -> drafts of sources that load, and read the same files."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from escudo.actions.draft_source import draft_source
from escudo.core.errors import EscudoError
from escudo.sources import load_families
from escudo.sources.opening import LogStream, open_logs
from escudo.sources.reading import RawBatch, read

CASES = {
    "pairs behind a syslog header": (
        "May  1 10:00:0{n} gate fw[12]: act=deny src=10.0.0.{n} dst=10.0.0.9 dport=22 "
        'msg="a b" proto=tcp\n',
        "syslog, key=value",
        {"act": "deny", "dport": "22", "msg": "a b"},
        "2026-05-01 10:00:01+00:00",
    ),
    "values between bars": (
        "2024-05-01 10:00:0{n}|gate|10.0.0.{n}|login|failed\n",
        "delimited",
        {"value_2": "gate", "value_5": "failed"},
        "2024-05-01 10:00:01+00:00",
    ),
    "epoch among pairs with tabs": (
        "at=170000000{n}\twho=ida of it\thow=by hand\n",
        "key=value",
        {"who": "ida of it", "how": "by hand"},
        "2023-11-14 22:13:21+00:00",
    ),
}
NOW = 1_795_000_000.0
"""November 2026."""


@pytest.mark.parametrize("case", CASES)
def test_a_draft_reads_the_file_that_it_is_of(case: str, tmp_path: Path) -> None:
    line, form, fields, when = CASES[case]
    data = "".join(line.format(n=n) for n in range(1, 10)).encode()
    draft = draft_source(data, name="gadget", latest=NOW)
    assert (draft.form, draft.events) == (form, 9)
    (tmp_path / "gadget.yml").write_text(draft.text)
    families = load_families([tmp_path])
    [first, *others] = _read(data, families)
    assert {name: first[name] for name in fields} == fields
    assert str(first["_time"]) == when
    assert len(others) == 8


def _read(data: bytes, families: object) -> list[dict[str, object]]:
    families = load_families() if families is None else families
    family = families["gadget"]  # type: ignore[index]
    rows: list[dict[str, object]] = []
    judge = families.judge_with(family)  # type: ignore[attr-defined]
    for stream in open_logs(["-"], stdin=io.BytesIO(data), judge=judge):
        assert isinstance(stream, LogStream)
        dated = LogStream("t", stream.format, stream.opener, "t", modified=NOW)
        for item in read(dated, families, given=family):  # type: ignore[arg-type]
            assert isinstance(item, RawBatch)
            rows += item.table.to_pylist()
    return rows


def test_a_header_names_the_fields_and_a_guess_says_what_they_are() -> None:
    data = b"#Fields: date time c-ip cs-method cs-uri sc-status url\n" + (
        b"2024-05-01 10:00:00 10.0.0.1 GET /a 200 /a\n" * 5
    )
    draft = draft_source(data, name="proxy", latest=NOW)
    assert draft.form == "W3C"
    assert {f.name: (f.type, f.meaning) for f in draft.fields}["c_ip"] == ("ip", "src")
    assert "of: [date, time], form: '%Y-%m-%d %H:%M:%S'" in draft.text
    assert "#   - model: Web\n" in draft.text


@pytest.mark.parametrize("data", [b'{"a": 1}\n{"a": 2}\n', b"", b"\n\n", b"a\0b\n"])
def test_what_is_no_text_is_refused(data: bytes) -> None:
    with pytest.raises(EscudoError) as caught:
        draft_source(data, name="x", latest=NOW)
    assert caught.value.code == "SRC056"
