"""The shell, at a prompt on a pseudo-terminal and from a pipe."""

from __future__ import annotations

import shutil
import signal
import stat
from pathlib import Path
from threading import Event
from typing import cast

import pytest

from escudo import startup
from escudo.actions.complete_search import Names
from escudo.actions.ingest import ingest_logs
from escudo.cli.commands.shell import attempt
from escudo.cli.shell.checking import Checker
from escudo.cli.shell.completion import propose_input
from escudo.cli.shell.input_text import is_complete, split_script
from escudo.cli.shell.session import Session
from escudo.core.errors import Diagnostic
from escudo.lake import Lake
from tests.cli.conftest import Run, json_lines
from tests.cli.terminals import Terminal
from tests.lake.logs import write_logs

NAMES = Names(
    fields=("host", "process_name", "parent_process_name", "Processes.process"),
    macros={"security_content_summariesonly": "summariesonly=false"},
    lookups=("lolbas_file_path", "dns_hosts"),
    datasets=("Endpoint.Processes", "Endpoint.Registry"),
)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 process creations, from 2023-11-14T22:13:20Z on, a second apart."""
    folder = tmp_path_factory.mktemp("shell")
    logs = write_logs(folder / "logs", 1, 60)
    with Lake.open(folder / "lake", create=True) as opened:
        ingest_logs(logs, opened)
    return folder / "lake"


@pytest.fixture(autouse=True)
def user_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ESCUDO_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.mark.parametrize(
    ("before", "proposed"),
    [
        ("index=* | timec", "timechart"),
        ("| append [| makeres", "makeresults"),
        ("index=* | stats count by ho", "host"),
        ("index=* | stats perc", "perc("),
        ("index=* | eval x=cidr", "cidrmatch("),
        ("index=* proc", "process_name"),
        ("| tstats count from datamodel=Endpoint.Re", "Endpoint.Registry"),
        ("| tstats count from datamodel=Endpoint.Processes by Processes.", "Processes.process"),
        ("index=* | lookup lol", "lolbas_file_path"),
        ("| inputlookup append=t dns", "dns_hosts"),
        ("index=* `security_con", "security_content_summariesonly`"),
        ("index=* | dedup keepev", "keepevents="),
        ("index=* | stats count b", "by"),
        (".fie", ".fields"),
        (".format ver", "vertical"),
    ],
)
def test_what_may_come_next_is_proposed(before: str, proposed: str) -> None:
    assert next(iter(propose_input(before, NAMES))).text == proposed


def test_what_has_the_word_inside_comes_after_what_begins_with_it() -> None:
    texts = [p.text for p in propose_input("index=* process", NAMES)]
    assert texts == ["process_name", "Processes.process", "parent_process_name"]


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("index=*", True),
        ('index=* "a | b"', True),
        ("index=* |", False),
        ("index=* | stats count by host,", False),
        ("index=* [search x", False),
        ("index=* | eval a=max(1", False),
        ('index=* "open', False),
        ("`macro", False),
        ('index=* | rex "(?<a>[(]"', True),
        ("index=* [search x\n", True),  # an empty line ends what a user cannot close
        (".fields (", True),
    ],
)
def test_enter_runs_what_is_whole(text: str, whole: bool) -> None:
    assert is_complete(text) is whole


def test_a_script_has_a_search_a_line_and_goes_on_in_open_ones() -> None:
    script = ["# hosts", "", "index=* |", "  stats count", "| makeresults", "index=* [search", "a]"]
    assert split_script(script) == [
        (3, "index=* |\n  stats count"),
        (5, "| makeresults"),
        (6, "index=* [search\na]"),
    ]


def test_only_the_newest_text_is_told_of() -> None:
    seen: list[str] = []

    def check(text: str) -> tuple[Diagnostic, ...]:
        seen.append(text)
        return (Diagnostic("SPL100", text),)

    done = Event()
    checker = Checker(check, done.set)
    for n in range(20):
        checker.look_at("x" * n)
    assert done.wait(30)
    checker.end()
    assert [d.message for d in checker.found] == ["x" * 19]
    assert len(seen) <= 2


@pytest.mark.slow
def test_a_script_runs_line_by_line(escudo: Run, lake: Path, tmp_path: Path) -> None:
    out = tmp_path / "hosts.csv"
    script = f"""\
# how many
index=* | stats count
.time 2023-11-14T22:14:00Z
index=* | stats count |
eval part="late"
.time all
.output {out}
index=* | stats count by host
index=* | stats count
"""
    done = escudo("shell", "--lake", lake, stdin=script.encode())
    assert (done.returncode, done.stderr.count("error")) == (0, 0), done.stderr
    rows = json_lines(done.stdout)
    # 22:13:20 and 59 seconds more: 20 of them in the next minute
    assert rows == [{"count": 60}, {"count": 20, "part": "late"}, {"count": 60}]
    assert out.read_text() == "host,count\npc1,60\n"


@pytest.mark.slow
def test_a_line_that_fails_is_told_and_the_others_run(escudo: Run, lake: Path) -> None:
    done = escudo(
        "shell", "--lake", lake, stdin=b"| stts\n.nope\nindex=* | stats count\n.quit\n| bad\n"
    )
    assert done.returncode == 1
    assert json_lines(done.stdout) == [{"count": 60}]
    assert "line 1: error[SPL101]" in done.stderr
    assert "line 2: error[CLI024]: no command is named .nope" in done.stderr
    assert "bad" not in done.stderr


@pytest.mark.slow
def test_the_lake_is_looked_into(escudo: Run, lake: Path) -> None:
    script = b".fields parent*\n.sources\n.models Endpoint.Proc\n.macros wmi\n.lookups\n"
    done = escudo("shell", "--lake", lake, stdin=script)
    assert (done.returncode, done.stderr) == (0, "")
    rows = json_lines(done.stdout)
    assert {"field": "ParentImage", "tables": ["sysmon"]} in rows
    (source,) = [row for row in rows if "sourcetype" in row]
    assert source["count"] == 60
    assert (source["first"], source["last"]) == (
        "2023-11-14T22:13:20+00:00",
        "2023-11-14T22:14:19+00:00",
    )
    (model,) = [row for row in rows if "dataset" in row]
    assert (model["dataset"], model["rows"]) == ("Endpoint.Processes", 60)
    macros = [row for row in rows if "macro" in row]
    assert macros == [{"macro": "process_execution_via_wmi_filter", "definition": "search *"}]


@pytest.mark.slow
def test_a_saved_search_is_a_macro_from_then_on(escudo: Run, lake: Path, user_folder: Path) -> None:
    script = (
        b"index=* | stats count by host\n.save by_host\n`by_host` | eval n=count+1\n.save no-name\n"
    )
    done = escudo("shell", "--lake", lake, stdin=script)
    assert done.returncode == 1
    assert "line 4: error[CLI023]" in done.stderr
    assert json_lines(done.stdout)[1] == {"host": "pc1", "count": 60, "n": 61}
    again = escudo("search", "`by_host`", "--lake", lake, "--content", user_folder / "saved")
    assert json_lines(again.stdout) == [{"host": "pc1", "count": 60}]


@pytest.mark.slow
def test_a_search_that_wrote_is_not_run_once_more(escudo: Run, lake: Path, tmp_path: Path) -> None:
    own = tmp_path / "lake"
    shutil.copytree(lake, own)
    script = (
        b"index=* | stats count by host | collect index=kept\n.all\n.chart\n"
        b"index=kept | stats count\n.all\n"
    )
    done = escudo("shell", "--lake", own, stdin=script)
    assert done.returncode == 1
    assert [row["count"] for row in json_lines(done.stdout)] == [60, 1, 1]
    for line in (2, 3):
        assert f"line {line}: error[CLI025]: the last search wrote something" in done.stderr


@pytest.mark.slow
def test_a_file_that_cannot_be_written_is_told_before_a_search(
    escudo: Run, lake: Path, tmp_path: Path
) -> None:
    missing = tmp_path / "missing" / "rows"
    charts = (f".chart {missing}.svg", ".chart rows.csv")
    script = "\n".join((f".output {missing}.csv", "index=* | stats count", *charts))
    done = escudo("shell", "--lake", lake, stdin=script.encode())
    assert done.returncode == 1
    assert f"line 1: error[SYS002]: {missing}.csv cannot be written" in done.stderr
    assert f"line 3: error[SYS002]: {missing}.svg cannot be written" in done.stderr
    assert "line 4: error[CLI025]: a chart goes to a file: .png .svg .html" in done.stderr
    assert json_lines(done.stdout) == [{"count": 60}]


@pytest.mark.slow
def test_patterns_of_sources_are_those_of_names(escudo: Run, lake: Path) -> None:
    script = b".sources sysmon\n.sources sysmon*\n.sources *sysmon*\n"
    done = escudo("shell", "--lake", lake, stdin=script)
    assert (done.returncode, done.stderr) == (0, "")
    # one with a star is like the whole name
    assert [row["count"] for row in json_lines(done.stdout)] == [60, 60]


class _Busy:
    """A session that is inside a library when Ctrl-C comes; it goes on at the next line."""

    def handle(self, text: str) -> None:
        try:
            if text == "stopped":
                signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise RuntimeError("Query interrupted") from None  # so DuckDB does
        raise RuntimeError("broken")


def test_a_library_that_hides_ctrl_c_is_stopped_all_the_same(
    capsys: pytest.CaptureFixture[str],
) -> None:
    wakeup = signal.set_wakeup_fd(-1)
    before = signal.getsignal(signal.SIGINT)
    session = cast(Session, _Busy())
    try:
        interrupts = startup.free_interrupts()
        assert not attempt(session, "stopped", interrupts=interrupts)
        assert capsys.readouterr().err == "stopped\n"
        interrupts.came = False
        assert not attempt(session, "fails", interrupts=interrupts)
        assert "error[SYS004]: RuntimeError" in capsys.readouterr().err
    finally:
        signal.signal(signal.SIGINT, before)
        signal.set_wakeup_fd(wakeup)


@pytest.mark.slow
def test_at_a_prompt(lake: Path, user_folder: Path) -> None:
    with Terminal("shell", "--lake", lake, columns=100) as shell:
        shell.expect("escudo>")
        # what is wrong is said while typing, with a caret; Ctrl-U takes the line back
        shell.send("| makeresults | evl a=1")
        shell.expect("unknown command 'evl'")
        shell.expect(r"\^\^\^")
        shell.expect("did you mean")
        shell.send("\x15")
        # Enter goes on while a bracket is open, and runs what is whole
        shell.send("| makeresults count=3 | eval a=max(\r")
        shell.expect(r"\.\.\.>")
        shell.send("1,2)\r")
        shell.expect("3 rows in")
        shell.expect("escudo>")
        shell.send("index=* | timec\t")
        shell.expect("timechart")
        shell.send("\x03")
        shell.expect("escudo>")
        # Ctrl-C stops a search and keeps the shell
        shell.send(
            "| makeresults count=20000000 | eval x=sha512(random()) | eval y=sha512(x.x) "
            "| stats dc(y)\r"
        )
        shell.expect("searching")
        shell.send("\x03")
        shell.expect("stopped")
        shell.expect("escudo>")
        shell.send("index=* | timechart span=1m count\r")
        shell.expect("2 rows in")
        shell.expect("escudo>")
        shell.send(".chart\r")
        shell.expect("40 │")
        shell.expect("escudo>")
        shell.send(".help\r")
        shell.expect(r"\.save NAME")
        shell.expect("escudo>")
        shell.send("\x04")
        code, text = shell.finish()
    assert code == 0
    assert "Traceback" not in text
    history = user_folder / "history"
    assert "timechart span=1m" in history.read_text()
    assert stat.S_IMODE(history.stat().st_mode) == 0o600
