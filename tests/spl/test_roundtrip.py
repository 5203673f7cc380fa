"""The law parse(format(tree)) == tree."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from escudo.spl.binding.binder import Command
from escudo.spl.parse import parse
from escudo.spl.syntax.ast import EvalExpr, Pipeline, SearchExpr
from escudo.spl.syntax.parse_eval import parse_eval
from escudo.spl.syntax.parse_search import parse_search
from escudo.spl.syntax.pretty_print import lay_out
from escudo.spl.syntax.unparse import eval_text, search_text
from tests.spl.trees import COMMAND_TYPES, EVAL, SEARCH, node

_QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


@given(EVAL)
def test_eval_expressions(expr: EvalExpr) -> None:
    assert parse_eval(eval_text(expr)) == expr


@given(SEARCH)
def test_search_expressions(expr: SearchExpr) -> None:
    assert parse_search(search_text(expr)) == expr


def _check(command: object) -> None:
    assert isinstance(command, Command)
    pipeline = Pipeline((command,))
    assert parse(pipeline.format()) == pipeline
    assert parse(lay_out(pipeline)) == pipeline


@pytest.mark.parametrize("kind", COMMAND_TYPES, ids=lambda kind: kind.__name__)
@settings(max_examples=3, deadline=None, suppress_health_check=_QUIET)
@given(data=st.data())
def test_commands(kind: type[Command], data: st.DataObject) -> None:
    _check(data.draw(node(kind)))


@pytest.mark.slow
@pytest.mark.parametrize("kind", COMMAND_TYPES, ids=lambda kind: kind.__name__)
@settings(max_examples=60, deadline=None, suppress_health_check=_QUIET)
@given(data=st.data())
def test_commands_thoroughly(kind: type[Command], data: st.DataObject) -> None:
    _check(data.draw(node(kind)))
