"""Messages of RFC 5424 (its own examples, section 6.5) and RFC 3164 (section 5.4)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from escudo.sources.formats.syslog import read_syslog

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()


def read(text: str, now: float = NOW) -> dict[str, Any]:
    columns = read_syslog(pa.array([text]), now)
    return {
        "time": columns.times[0].as_py(),
        "host": columns.hosts[0].as_py(),
        "message": columns.messages[0].as_py(),
        **{name: values[0].as_py() for name, values in columns.fields.items()},
    }


CASES = {
    "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \ufeff'su root' failed": {
        "time": datetime(2003, 10, 11, 22, 14, 15, 3000, UTC),
        "host": "mymachine.example.com",
        "message": "'su root' failed",
        "facility": "auth",
        "severity": "crit",
        "process": "su",
        "msgid": "ID47",
    },
    "<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time": {
        "time": datetime(2003, 8, 24, 12, 14, 15, 3, UTC),
        "host": "192.0.2.1",
        "message": "%% It's time",
        "facility": "local4",
        "severity": "notice",
        "process": "myproc",
        "pid": "8710",
    },
    '<165>1 2003-10-11T22:14:15.003Z m evntslog - ID47 [ex@32473 iut="3"][b@1 c="\\]"]': {
        "time": datetime(2003, 10, 11, 22, 14, 15, 3000, UTC),
        "host": "m",
        "message": "",
        "facility": "local4",
        "severity": "notice",
        "process": "evntslog",
        "msgid": "ID47",
        "structured_data": '[ex@32473 iut="3"][b@1 c="\\]"]',
    },
    "<34>Oct 11 22:14:15 mymachine su: 'su root' failed": {
        "time": datetime(2025, 10, 11, 22, 14, 15, tzinfo=UTC),
        "host": "mymachine",
        "message": "'su root' failed",
        "facility": "auth",
        "severity": "crit",
        "process": "su",
    },
    "<13>Feb  5 17:32:18 10.0.0.99 Use the BFG!": {
        "time": datetime(2026, 2, 5, 17, 32, 18, tzinfo=UTC),
        "host": "10.0.0.99",
        "message": "Use the BFG!",
        "facility": "user",
        "severity": "notice",
    },
    "<14>2026-02-28T23:00:00.5+01:00 web app[7]: hi\nthere": {
        "time": datetime(2026, 2, 28, 22, 0, 0, 500_000, UTC),
        "host": "web",
        "message": "hi\nthere",
        "facility": "user",
        "severity": "info",
        "process": "app",
        "pid": "7",
    },
    "<0>panic": {
        "time": None, "host": None, "message": "panic", "facility": "kern", "severity": "emerg",
    },
    "<999>1 - - - - - -": {"time": None, "host": None, "message": ""},
    "nothing of it": {"time": None, "host": None, "message": "nothing of it"},
    "": {"time": None, "host": None, "message": ""},
}  # fmt: skip


@pytest.mark.parametrize("text", CASES)
def test_message(text: str) -> None:
    assert read(text) == CASES[text]


def test_the_year_is_the_one_next_to_now() -> None:
    """RFC 3164 leaves it out; a sender's clock may be ahead."""
    new_year = datetime(2026, 12, 31, 23, 59, tzinfo=UTC).timestamp()
    assert read("<13>Jan  1 00:10:00 h x", new_year)["time"] == datetime(
        2027, 1, 1, 0, 10, tzinfo=UTC
    )
    assert read("<13>Dec 31 23:59:00 h x", new_year + 600)["time"] == datetime(
        2026, 12, 31, 23, 59, tzinfo=UTC
    )


def test_columns_keep_the_order_of_the_messages() -> None:
    texts = [*CASES] * 3
    columns = read_syslog(pa.array(texts), NOW)
    assert columns.messages.to_pylist() == [case["message"] for case in CASES.values()] * 3
