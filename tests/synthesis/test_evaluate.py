"""The evaluator gives what the manual says: the conformance cases of the language hold for it,
too. Nothing else may decide whether an event must be found."""

from __future__ import annotations

from typing import Any

import pytest

from escudo.spl import parse_eval
from escudo.synthesis.evaluate import Scope, evaluate
from escudo.synthesis.functions import UnknownValueError
from escudo.synthesis.values import Value
from tests.conformance.cases import Case, all_cases, spl_value
from tests.conformance.engines import NOW


def _evaluate(case: Case) -> Any:
    given: dict[str, Value] = dict(case.given)
    return evaluate(parse_eval(str(case.eval)), Scope(given.get, NOW))


def _is_known(case: Case) -> bool:
    try:
        _evaluate(case)
    except UnknownValueError:
        return False
    return True


_CASES = [c for c in all_cases() if c.eval is not None and c.error is None]
_KNOWN = [c for c in _CASES if _is_known(c)]


@pytest.mark.parametrize("case", _KNOWN, ids=lambda c: c.id)
def test_a_known_value_is_that_of_the_manual(case: Case) -> None:
    assert spl_value(_evaluate(case)) == spl_value(case.value)


def test_most_of_the_language_is_known() -> None:
    assert len(_KNOWN) > 0.5 * len(_CASES)
