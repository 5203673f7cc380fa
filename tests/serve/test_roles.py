"""What a file and the state say of roles becomes what somebody sees and may take."""

from __future__ import annotations

from pathlib import Path

import pytest

from escudo.core.errors import EscudoError
from escudo.schedule.database import State
from escudo.serve.accounts.principal import SearchLimits
from escudo.serve.accounts.roles import FRESH_SECONDS, Roles, RoleSettings, read_limits


def test_the_file_of_limits(tmp_path: Path) -> None:
    path = tmp_path / "limits.toml"
    path.write_text('[roles.viewer]\nindexes = ["main", "win*"]\nseconds = 60\nmemory = "1 GB"\n')
    viewer = read_limits(path)["viewer"]
    assert viewer.indexes == ("main", "win*")
    assert (viewer.limits.seconds, viewer.limits.memory) == (60, "1 GB")
    assert viewer.limits.rows == SearchLimits().rows


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("[roles.viewer]\nrow = 1", "SRV091", "'row' is none of"),
        ("[roles.viewer]\nrows = true", "SRV091", "rows cannot be True"),
        ("[roles.viewer]\nindexes = 'main'", "SRV091", "indexes cannot be 'main'"),
        ("[roles.god]\nrows = 1", "SRV002", "god"),
        ("[limits]\nrows = 1", "SRV091", "limits"),
        ("roles = 1", "SRV091", "tables"),
        ("[roles.viewer", "SRV091", "limits.toml"),
    ],
)
def test_a_file_that_is_wrong(tmp_path: Path, text: str, code: str, told: str) -> None:
    path = tmp_path / "limits.toml"
    path.write_text(text)
    with pytest.raises(EscudoError, match=told) as caught:
        read_limits(path)
    assert caught.value.code == code


def test_the_state_goes_before_the_file_and_others_see_it_soon() -> None:
    base = {"viewer": RoleSettings(("main",))}
    times = [0.0]
    with State.open("sqlite://") as state:
        one = Roles(state, clock=lambda: times[0], base=base)
        other = Roles(state, clock=lambda: times[0], base=base)
        assert other.combine(["viewer"]).indexes == ("main",)
        one.change("viewer", {"indexes": ["web"]})
        assert one.combine(["viewer"]).indexes == ("web",)
        times[0] += FRESH_SECONDS
        assert other.combine(["viewer"]).indexes == ("web",)


def test_of_several_roles_all_indexes_and_the_limits_of_the_highest() -> None:
    base = {
        "viewer": RoleSettings(("a", "b"), SearchLimits(rows=1)),
        "analyst": RoleSettings(("b", "c"), SearchLimits(rows=2)),
    }
    with State.open("sqlite://") as state:
        roles = Roles(state, clock=lambda: 0.0, base=base)
        both = roles.combine(["analyst", "viewer"])
        assert (both.indexes, both.limits.rows) == (("a", "b", "c"), 2)
        assert roles.combine([]).indexes == ()
