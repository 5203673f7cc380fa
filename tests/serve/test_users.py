"""The first administrator, and what is known of a token that nobody has used."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from escudo.schedule.database import State
from escudo.serve.accounts.tokens import API, Tokens
from escudo.serve.accounts.users import FIRST_USER, Users
from tests.serve.running import PASSWORD


@pytest.fixture
def state() -> Iterator[State]:
    with State.open("sqlite://") as opened:
        yield opened


def make_clock(times: list[float]) -> Callable[[], float]:
    return lambda: times[-1]


def test_users_of_the_command_line_are_no_reason_to_have_no_administrator(state: State) -> None:
    users = Users(state, clock=lambda: 0.0)
    users.add("ana", PASSWORD, ["analyst"])
    password = users.make_first()
    assert password is not None
    made = users.verify(FIRST_USER, password)
    assert made is not None
    assert (made.roles, made.must_change) == (("admin",), True)
    assert users.make_first() is None


def test_an_administrator_of_another_name_is_enough(state: State) -> None:
    users = Users(state, clock=lambda: 0.0)
    users.add("eva", PASSWORD, ["admin"])
    assert users.make_first() is None
    assert [user.name for user in users.list()] == ["eva"]


def test_nobody_is_made_an_administrator_for_his_name(state: State) -> None:
    users = Users(state, clock=lambda: 0.0)
    users.add(FIRST_USER, PASSWORD, ["viewer"])
    assert users.make_first() is None
    assert users.read(FIRST_USER).roles == ("viewer",)


def test_a_token_is_used_when_it_is_used(state: State) -> None:
    times = [1000.0]
    tokens = Tokens(state, clock=make_clock(times))
    secret, made = tokens.add("report", kind=API, owner="ana")
    assert made.used is None
    assert tokens.read(made.id).used is None
    times.append(1200.0)
    assert tokens.find(secret, kind=API) is not None
    assert tokens.read(made.id).used == 1200.0
