from __future__ import annotations

from escudo import content
from escudo.findings import judge
from escudo.findings.store import Written, known_hashes, write
from escudo.lake import Lake
from tests.findings.matches import NOW, match, schemas

DEPLOYMENTS = content.load().deployments


def test_a_row_is_written_once_however_often_it_is_found() -> None:
    tables = schemas()
    first = judge(match({"dest": ["a", "b"]}), DEPLOYMENTS, tables)
    again = judge(match({"dest": ["b", "c"]}, now=NOW + 600), DEPLOYMENTS, tables)
    with Lake.create_temporary() as lake:
        assert write(lake, [first], tables) == Written(2, 2)
        assert write(lake, [first], tables) == Written(0, 0)
        assert write(lake, [again], tables) == Written(1, 1)
        assert len(known_hashes(lake, tables.notable)) == 3


def test_nothing_to_write() -> None:
    with Lake.create_temporary() as lake:
        assert write(lake, [], schemas()) == Written(0, 0)
        assert len(known_hashes(lake, schemas().risk)) == 0
