"""The names of time zones, as options and settings have them."""

from __future__ import annotations

from datetime import UTC

import pytest

from escudo.cli.zone_names import find_zone
from escudo.core.errors import EscudoError


@pytest.mark.parametrize("name", ["UTC", "utc", "Z"])
def test_utc_has_its_names(name: str) -> None:
    assert find_zone(name) is UTC


@pytest.mark.parametrize("name", ["Europe/Berlin", "europe/berlin"])
def test_a_zone_has_the_name_of_the_database_in_any_case(name: str) -> None:
    assert str(find_zone(name)) == "Europe/Berlin"


def test_the_local_zone_is_that_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert str(find_zone("local")) == "Asia/Tokyo"


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("Berlin", "Europe/Berlin"),
        ("new york", "America/New_York"),
        ("Europe/Berlim", "Europe/Berlin"),
        ("../../etc/passwd", "Europe/Berlin"),
    ],
)
def test_a_zone_that_is_none_names_those_like_it(name: str, near: str) -> None:
    with pytest.raises(EscudoError) as raised:
        find_zone(name)
    assert raised.value.code == "CLI020"
    assert near in (raised.value.diagnostic.hint or "")
