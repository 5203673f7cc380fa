"""What a person reads who wrote bad SPL: each message in full, caret and help included."""

from __future__ import annotations

from pathlib import Path

import pytest

from escudo.core.errors import EscudoError
from escudo.spl.macros import expand
from escudo.spl.parse import parse
from escudo.spl.syntax.codes import CODES
from tests.spl.knowledge import Book
from tests.yaml_file import read_yaml

BOOK = (
    Book()
    .define("sysmon", 'sourcetype="xmlwineventlog"')
    .define("ctime_fmt", 'convert timeformat="%F" ctime($field$)', ["field"])
    .define("loop", "`loop_a(1)`")
    .define("loop_a", "`loop`", ["x"])
    .define("broken", "a `unclosed")
    .define("bad_command", "stat count")
    .define("bad_eval", "where $x$ > ", ["x"])
    .define("reads_field", '"index=" . host', is_eval=True)
    .define("calls_now", 'strftime(now(), "%F")', is_eval=True)
    .define("gives_null", "null()", is_eval=True)
)

FILES = sorted((Path(__file__).parent / "errors").glob("*.yml"))
CASES = [
    pytest.param(case["spl"], case["message"], id=f"{path.stem}: {case['spl']}")
    for path in FILES
    for case in read_yaml(path)
]


@pytest.mark.parametrize(("spl", "message"), CASES)
def test_message(spl: str, message: str) -> None:
    with pytest.raises(EscudoError) as caught:
        parse(expand(spl, BOOK))
    assert caught.value.diagnostic.render() == message.rstrip("\n")
    assert caught.value.code in CODES
