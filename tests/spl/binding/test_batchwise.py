"""Which searches can take events batch by batch."""

from __future__ import annotations

import pytest

from escudo.spl.binding.batchwise import find_obstacle
from escudo.spl.parse import parse

TSTATS = (
    "| tstats count min(_time) as firstTime values(Processes.process) as process"
    " from datamodel=Endpoint.Processes where Processes.process_name=cmd.exe"
    " by Processes.dest Processes.user"
)


@pytest.mark.parametrize(
    "search",
    [
        "EventCode=1 | eval a=1 | where a=1 | rename a as b | table b",
        'EventCode=1 | rex field=_raw "(?<n>\\d+)" | search n>5 | fields n',
        f"{TSTATS} | rename Processes.* as * | search user=ann",
        f"{TSTATS} | convert ctime(firstTime) | eval when=firstTime | lookup x user OUTPUT y"
        " | search y=1",
        "EventCode=1 | stats count by dest | sort - count | fillnull",
        "EventCode=1 | stats count by dest | stats sum(count) by dest",
        "EventCode=1 | mvexpand user | stats values(user) as user by dest",
        "EventCode=1 | stats count as n by dest | eval n=5 | where n=5",
        "| tstats count from datamodel=Endpoint.Processes by _time span=1h Processes.dest",
        '| from datamodel:"Endpoint.Processes" | search dest=x',
    ],
)
def test_it_can(search: str) -> None:
    assert find_obstacle(parse(search)) is None


@pytest.mark.parametrize(
    ("search", "obstacle"),
    [
        ("EventCode=1 | stats count by dest | where count > 5", "where"),
        ("EventCode=1 | stats count as n by dest | rename n as m | search m>5", "search"),
        ("EventCode=1 | stats count as n by dest | eval m=n+1 | eval k=m | where k>5", "where"),
        ("EventCode=1 | stats values(user) as u by dest | eval n=mvcount(u) | where n>1", "where"),
        ("EventCode=1 | stats count as my_n by dest | rename my_* as * | where n>1", "where"),
        ("EventCode=1 | stats values(user) as user by dest | regex user=x", "regex"),
        ("EventCode=1 | stats values(user) as user by dest | mvexpand user", "mvexpand"),
        ("EventCode=1 | stats values(user) as user by dest | stats count by user", "stats"),
        ('EventCode=1 | stats count by dest | where searchmatch("x")', "where"),
        ("EventCode=1 | stats count", "stats"),
        ("EventCode=1 | eventstats count by dest", "eventstats"),
        ("EventCode=1 | streamstats count by dest", "streamstats"),
        ("EventCode=1 | dedup dest", "dedup"),
        ("EventCode=1 | head 5", "head"),
        ("EventCode=1 | sort 5 dest", "sort"),
        ("EventCode=1 | transaction dest", "transaction"),
        ("EventCode=1 | join dest [search EventCode=2]", "join"),
        ("EventCode=1 [search EventCode=2 | fields dest]", "search"),
        ("EventCode=1 | table dest | outputlookup x", "outputlookup"),
        ("EventCode=1 | collect index=mine", "collect"),
        ("| inputlookup x", "inputlookup"),
        ("| tstats count from datamodel=Endpoint.Processes", "tstats"),
        ("| tstats count from datamodel=Endpoint.Processes by _time Processes.dest", "tstats"),
        ("| tstats prestats=t count from datamodel=Endpoint.Processes by Processes.dest", "tstats"),
        (f"{TSTATS} | where count > 1", "where"),
        (f'{TSTATS} | search "Processes.user"=ann process="* *"', "search"),
    ],
)
def test_it_cannot(search: str, obstacle: str) -> None:
    found = find_obstacle(parse(search))
    assert found is not None
    assert found.name == obstacle
