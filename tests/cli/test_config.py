"""Settings: option before environment before file before default; what is wrong in a file; logs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest

from escudo.cli import COMMANDS, cli
from escudo.cli.settings import KEYS
from tests.cli.conftest import Run, json_lines
from tests.cli.test_wrong_input import GOOD

SEARCH = "| makeresults | eval a=1 | table a"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to be in, with a home of its own."""
    monkeypatch.delenv("ESCUDO_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    (tmp_path / "home" / "escudo").mkdir(parents=True)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


def _shown(escudo: Run, *before: str) -> dict[str, tuple[object, str]]:
    done = escudo(*before, "config", "--format", "json")
    assert done.returncode == 0, done.stderr
    return {row["key"]: (row["value"], row["source"]) for row in json.loads(done.stdout)}


def test_what_goes_before_what(home: Path, escudo: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    user = home / "home" / "escudo" / "config.toml"
    user.write_text('# mine\nlake = "one"\noverlay = "over"\nmemory_limit = "2GB"\n')
    assert _shown(escudo)["lake"] == (str(user.parent / "one"), f"{user}:2")
    (home / "work" / "escudo.toml").write_text('lake = "two"\ncontent = ["a", "b"]\n')
    shown = _shown(escudo)
    assert shown["lake"] == ("two", "escudo.toml:1")
    assert shown["content"] == (["a", "b"], "escudo.toml:2")
    assert shown["memory_limit"] == ("2GB", f"{user}:4")
    assert shown["engine"] == (None, "default")
    monkeypatch.setenv("ESCUDO_LAKE", "three")
    monkeypatch.setenv("ESCUDO_CONTENT", f"c{os.pathsep}d")
    shown = _shown(escudo)
    assert shown["lake"] == ("three", "$ESCUDO_LAKE")
    assert shown["content"] == (["c", "d"], "$ESCUDO_CONTENT")
    monkeypatch.setenv("ESCUDO_CONTENT", f"pack:suspicious-wmi-use{os.pathsep}d")
    assert _shown(escudo)["content"] == (["pack:suspicious-wmi-use", "d"], "$ESCUDO_CONTENT")
    monkeypatch.setenv("ESCUDO_CONTENT", f"c{os.pathsep}d")
    for folder in ("c", "d", user.parent / "over"):
        Path(folder).mkdir()
    done = escudo("search", SEARCH)
    assert "three holds no lake" in done.stderr
    done = escudo("search", SEARCH, "--lake", "four", "--content", ".", "--overlay", ".")
    assert "four holds no lake" in done.stderr


def test_a_file_that_is_named_is_the_only_one(
    home: Path, escudo: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "work" / "escudo.toml").write_text('lake = "two"\n')
    (home / "other.toml").write_text('lake = "other"\n')
    assert _shown(escudo, "--config", "../other.toml")["lake"][0] == "../other"
    monkeypatch.setenv("ESCUDO_CONFIG", str(home / "other.toml"))
    assert escudo("config", "--path").stdout == f"{home / 'other.toml'}\n"
    monkeypatch.setenv("ESCUDO_CONFIG", "")
    assert _shown(escudo)["lake"] == (None, "default")


def test_a_search_without_options(home: Path, escudo: Run) -> None:
    (home / "good.xml").write_text(GOOD)
    (home / "work" / "escudo.toml").write_text('lake = "lake"\ncontent = ["content"]\n')
    (home / "work" / "content").mkdir()
    (home / "work" / "content" / "m.yml").write_text("name: mine\ndefinition: eval b=2\n")
    assert json.loads(escudo("explain", "| makeresults | `mine`").stdout)  # no lake yet
    assert escudo("ingest", home / "good.xml").returncode == 0
    done = escudo("search", "index=* | `mine` | table b", "--format", "jsonl")
    assert [row["b"] for row in json_lines(done.stdout)] == [2]
    assert escudo("lake", "info").returncode == 0


@pytest.mark.parametrize(
    ("text", "code", "place", "says"),
    [
        ('engine = "duckdb"\n lak = "x"\n', "CLI031", "2:2", "did you mean 'lake'?"),
        ("[hunt]\nlake = 1\n", "CLI031", "1:2", "unknown key 'hunt'"),
        ("content = 'a'\n", "CLI032", "1:11", "content must be a list of paths"),
        ("verbose = 1\n", "CLI032", "1:11", "verbose must be true or false"),
        ("max_members = 0\n", "CLI032", "1:15", "must be a whole number from 1"),
        ("engine = 'oracle'\n", "CLI032", "1:10", "engine must be one of duckdb, spark"),
        ("tz = 'Mars/Base'\n", "CLI032", "1:6", "tz must be the name of a time zone"),
        ("tz = '/etc/passwd'\n", "CLI032", "1:6", "tz must be the name of a time zone"),
        ("lake = \n", "CLI030", "1:8", "no TOML"),
        ("lake = 'a'\nlake = 'b'\n", "CLI030", "2:11", "no TOML"),
        ("log_file = '../log'\n", "CLI032", "1:12", "must be in its own folder"),
        ("master = 'sc://evil:1'\n", "CLI032", "1:1", "cannot be set by escudo.toml"),
        ("spark_properties = 'a'\n", "CLI032", "1:1", "cannot be set by escudo.toml"),
        ("lake = 's3://evil/x'\n", "CLI032", "1:1", "a URL as lake cannot be set by escudo.toml"),
        ("ledger = 'postgresql://evil/x'\n", "CLI032", "1:1", "set it in your own configuration"),
        ("state = 'postgresql://evil/x'\n", "CLI032", "1:1", "by --config or ESCUDO_STATE"),
        ("lake = 'x'\nlak = 'y'\n", "CLI031", "2:1", "did you mean 'lake'?"),
        ("tz = 'Europe/Madird'\n", "CLI032", "1:6", "help: such as Europe/Madrid"),
        ('content = ["a\\u0000b"]\n', "CLI032", "1:11", "must be a list of paths"),
    ],
)
def test_what_is_wrong_in_a_file(
    text: str, code: str, place: str, says: str, home: Path, escudo: Run
) -> None:
    (home / "work" / "escudo.toml").write_text(text)
    done = escudo("search", SEARCH, "--lake", "x")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error[{code}] escudo.toml:{place}: ")
    assert says in done.stderr


def test_what_is_wrong_elsewhere(home: Path, escudo: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    done = escudo("--config", "gone.toml", "config")
    assert (done.returncode, done.stderr) == (
        1,
        "error[CLI030]: gone.toml: No such file or directory\n",
    )
    (home / "bad.toml").write_bytes(b"lake = '\xff'\n")
    assert "is not UTF-8 text" in escudo("--config", home / "bad.toml", "config").stderr
    for text in (f"max_members = {'1' * 5000}\n", f"lake = {'[' * 5000}\n"):
        (home / "bad.toml").write_text(text)
        done = escudo("--config", home / "bad.toml", "config")
        assert done.returncode == 1
        assert done.stderr.startswith(f"error[CLI030]: {home / 'bad.toml'}: ")
    monkeypatch.setenv("ESCUDO_MAX_MEMBERS", "many")
    assert "error[CLI032]: ESCUDO_MAX_MEMBERS must be" in escudo("config").stderr
    monkeypatch.delenv("ESCUDO_MAX_MEMBERS")
    monkeypatch.setenv("ESCUDO_LAKE", "ftp://bucket")
    expected = "error[STO003]: ftp:// is no storage that a lake can be in\n"
    assert escudo("search", "| makeresults").stderr.startswith(expected)


def test_a_path_that_is_not_there_names_who_said_it(
    home: Path, escudo: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "work" / "escudo.toml").write_text('# mine\ncontent = ["~nobody-of-that-name/x"]\n')
    done = escudo("explain", SEARCH)
    assert done.returncode == 2
    assert done.stderr.endswith(
        "'--content': Path '~nobody-of-that-name/x' does not exist. (set by escudo.toml:2)\n"
    )
    monkeypatch.setenv("ESCUDO_CONTENT", "gone")
    assert "'gone' does not exist. (set by $ESCUDO_CONTENT)\n" in escudo("explain", SEARCH).stderr
    done = escudo("explain", SEARCH, "--content", "away")
    assert done.stderr.endswith("Path 'away' does not exist.\n")


def test_a_pack_is_content(home: Path, escudo: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "work" / "escudo.toml").write_text('content = ["pack:suspicious-wmi-use"]\n')
    assert escudo("explain", "WMIC Ran an XSL Script").returncode == 0
    monkeypatch.setenv("ESCUDO_CONTENT", "pack:nosuch")
    assert "error[CON003]: no pack is named 'nosuch'" in escudo("explain", SEARCH).stderr


@pytest.mark.parametrize("name", ["local", "utc", "europe/madrid"])
def test_a_zone_may_be_all_that_the_option_takes(
    name: str, home: Path, escudo: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "work" / "escudo.toml").write_text(f"tz = '{name}'\n")
    assert _shown(escudo)["tz"] == (name, "escudo.toml:1")
    monkeypatch.setenv("ESCUDO_TZ", name)
    assert _shown(escudo)["tz"] == (name, "$ESCUDO_TZ")


def test_choices_are_those_of_the_options() -> None:
    commands = [import_module(f"escudo.cli.commands.{n}").command for n in COMMANDS]
    parts = [p for c in commands for p in (c, *getattr(c, "commands", {}).values())]
    options = [*cli.params, *(option for part in parts for option in part.params)]
    for key in KEYS.values():
        types = [option.type for option in options if key.option in option.opts]
        assert types, key.option
        for kind in types:
            if isinstance(kind, click.Choice):
                assert key.kind.label == f"one of {', '.join(kind.choices)}"


def test_every_key_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text()
    for key in KEYS.values():
        assert f"| `{key.name}` | `{key.option}` | `{key.variable}` |" in page


def test_a_log_says_what_is_done(home: Path, escudo: Run) -> None:
    (home / "good.xml").write_text(GOOD)
    log = home / "work" / "escudo.log"
    done = escudo("--log-file", log, "hunt", home / "good.xml", "-v", "--format", "jsonl")
    assert done.returncode == 0
    rows = json_lines(log.read_text())
    assert [r["event"] for r in rows][0 :: len(rows) - 1] == ["begin", "end"]
    by_event = {r["event"]: r for r in rows}
    assert by_event["begin"]["command"] == "hunt"
    assert (by_event["file"]["name"], by_event["file"]["events"]) == (str(home / "good.xml"), 1)
    assert "ingest" in {r["kind"] for r in rows if r["event"] == "commit"}
    found = {r["name"]: r["rows"] for r in rows if r["event"] == "detection"}
    assert found["Process Execution via WMI"] == 1
    assert all(r["time"].endswith("Z") and r["level"] == "info" and r["pid"] for r in rows)
    assert by_event["end"]["exit_code"] == 0
    assert "Z detection name=Process Execution via WMI rows=1" in done.stderr
    assert escudo("--log-file", log, "search", "| nonsense", "--lake", "none").returncode == 1
    told = [r for r in json_lines(log.read_text()) if r["event"] == "told"]
    assert [(r["level"], r["code"]) for r in told] == [("error", "LAK002")]


def test_commands_of_a_group_say_what_is_done(home: Path, escudo: Run) -> None:
    (home / "good.xml").write_text(GOOD)
    assert escudo("ingest", home / "good.xml", "--lake", "lake").returncode == 0
    done = escudo("lake", "info", "--lake", "lake", "-v")
    assert (done.returncode, done.stderr.split()[1:3]) == (0, ["end", "exit_code=0"])


def test_a_log_file_that_cannot_be_opened(home: Path, escudo: Run) -> None:
    done = escudo("--log-file", home / "none" / "log", "config")
    expected = f"error[SYS002]: log file {home / 'none' / 'log'}: No such file or directory\n"
    assert (done.returncode, done.stderr) == (1, expected)


def test_a_log_file_on_a_full_disk_ends(home: Path, escudo: Run) -> None:
    done = escudo("--log-file", "/dev/full", "config", "--format", "json")
    assert done.returncode == 0
    assert done.stderr.count("it ends here") == 1
    assert len(json.loads(done.stdout)) == len(KEYS)


def test_nothing_went_nowhere(home: Path, escudo: Run) -> None:
    (home / "good.xml").write_text(GOOD)
    escudo("ingest", home / "good.xml", "--lake", "lake")
    search = "| makeresults | where false() | outputlookup seen.csv"
    done = escudo("search", search.replace("false()", "1=0"), "--lake", "lake")
    assert (done.returncode, done.stderr) == (0, "")
    done = escudo("search", "| makeresults | outputlookup seen.csv", "--lake", "lake")
    assert done.stderr == "1 rows went to lookup seen.csv\n"


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shell_completion(shell: str) -> None:
    base = [sys.executable, "-m", "escudo.cli"]

    def complete(**variables: str) -> str:
        done = subprocess.run(
            base, env={**os.environ, **variables}, capture_output=True, text=True, check=False
        )
        return done.stdout

    script = complete(_ESCUDO_COMPLETE=f"{shell}_source")
    assert "_ESCUDO_COMPLETE" in script
    words = "escudo hun" if shell != "fish" else "hun"
    found = complete(
        _ESCUDO_COMPLETE=f"{shell}_complete",
        COMP_WORDS=words,
        COMP_CWORD=words.split()[-1] if shell == "fish" else "1",
    )
    assert "hunt" in found
    options = complete(
        _ESCUDO_COMPLETE=f"{shell}_complete",
        COMP_WORDS="escudo search --earl",
        COMP_CWORD="--earl" if shell == "fish" else "2",
    )
    assert "--earliest" in options
