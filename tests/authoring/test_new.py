"""`escudo new` and `escudo init`: what they write is content that validates, here and in
contentctl's form."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import uuid
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml

from escudo.authoring.new_files import write_files
from escudo.authoring.scaffold.element_files import build_element
from escudo.authoring.scaffold.fields import FIELDS, Shape
from escudo.authoring.scaffold.new_file import Identity, NewFile
from escudo.core.errors import EscudoError
from tests.cli.conftest import Run
from tests.cli.terminals import Terminal

SEARCH = (
    "| tstats `security_content_summariesonly` count from datamodel=Endpoint.Processes"
    " where Processes.process_name=wmic.exe by Processes.dest Processes.user"
    " Processes.process_name | `drop_dm_object_name(Processes)`"
)


@pytest.fixture(scope="module")
def made_once(escudo: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "repository"
    made = escudo("init", folder, "--title", "Acme", "--author", "Ada", "--ci", "none")
    assert made.returncode == 0, made.stderr
    return folder


@pytest.fixture
def repository(made_once: Path, tmp_path: Path) -> Path:
    """A new content repository."""
    return Path(shutil.copytree(made_once, tmp_path / "repository"))


def validate(escudo: Run, folder: Path) -> dict[str, dict[str, object]]:
    done = escudo("validate", folder, "--format", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    verdict: dict[str, dict[str, object]] = json.loads(done.stdout)
    return verdict


def read(file: Path) -> dict[str, object]:
    values: dict[str, object] = yaml.safe_load(file.read_text("utf-8"))
    return values


def test_a_new_repository_validates(escudo: Run, repository: Path) -> None:
    verdict = validate(escudo, repository)
    assert verdict["detections"]["total"] == 1
    assert verdict["files"]["told"] == []


def test_the_example_finds_its_attack_and_nothing_benign(escudo: Run, repository: Path) -> None:
    def count(logs: Path) -> int:
        name = "Shadow Copies Deleted"
        done = escudo("hunt", logs, "--content", repository, "--detection", name)
        assert done.returncode == 0, done.stderr
        return len(done.stdout.splitlines())

    assert count(repository / "tests" / "shadow_copies_deleted") == 2
    assert count(repository / "tests" / "benign") == 0


def test_init_writes_nothing_where_one_of_its_files_is(escudo: Run, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    done = escudo("init", tmp_path, "--author", "Ada")
    assert done.returncode == 1
    assert "AUT002" in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["README.md"]
    assert (tmp_path / "README.md").read_text() == "mine"


@pytest.mark.parametrize(
    ("options", "appid"),
    [
        (("--title", "2024"), "detections_2024"),  # the name of a folder begins with a letter
        (("--title", "NUL"), "detections_nul"),  # no folder of Windows has this name
        (("--title", "Schutz \U0001f6e1 \u00fc"), "schutz"),
        (("--title", "%%author_name%% : #"), "author_name"),
    ],
)
def test_whatever_its_title_it_can_be_built(
    escudo: Run, tmp_path: Path, options: tuple[str, ...], appid: str
) -> None:
    given = ("--author", "Ada", "--company", "Acme Inc.")
    made = escudo("init", tmp_path / "made", *given, *options)
    assert made.returncode == 0, made.stderr
    app = yaml.safe_load((tmp_path / "made" / "contentctl.yml").read_text("utf-8"))["app"]
    assert (app["title"], app["appid"], app["author_name"]) == (options[1], appid, "Ada")
    assert app["description"] == "Detections of Acme Inc."
    built = escudo("build", tmp_path / "made", "--format", "json")
    assert built.returncode == 0, built.stderr
    assert json.loads(built.stdout)["appid"] == appid


@pytest.mark.parametrize(
    "options",
    [
        ("--title", "a\nb"),
        ("--appid", "a/b"),
        ("--appid", "2nd"),
        ("--appid", "a.b"),  # contentctl refuses it
        ("--label", "[a]"),  # a stanza could not be called so
        ("--label", " "),
        ("--label", "x" * 60),  # no name of a detection would fit beside it
    ],
)
def test_what_no_app_can_be_called(escudo: Run, tmp_path: Path, options: tuple[str, ...]) -> None:
    done = escudo("init", tmp_path / "made", "--author", "Ada", *options)
    assert (done.returncode, "AUT012" in done.stderr) == (1, True), done.stderr
    assert not (tmp_path / "made").exists()


def test_workflows_are_yaml_that_run_the_commands(escudo: Run, tmp_path: Path) -> None:
    done = escudo("init", tmp_path, "--author", "Ada", "--ci", "github", "--ci", "gitlab")
    assert done.returncode == 0, done.stderr
    for name in (".github/workflows/detections.yml", ".gitlab-ci.yml"):
        text = (tmp_path / name).read_text("utf-8")
        assert yaml.safe_load(text)
        for command in ("escudo validate", "escudo test", "escudo diff", "escudo build"):
            assert command in text
        assert "sarif" in text
        assert "junit" in text


def test_a_detection_gets_its_file_filter_and_risk(escudo: Run, repository: Path) -> None:
    done = escudo(
        *("new", "detection", "Odd Shell - v1.2", "--root", repository, "--search", SEARCH),
        *("--technique", "T1047", "--data-source", "Sysmon EventID 1", "--throttle", "dest:12h"),
        *("--story", "Recovery Prevention", "--type", "anomaly"),
    )
    assert done.returncode == 0, done.stderr
    file = repository / "detections" / "endpoint" / "odd_shell___v1_2.yml"
    macro = repository / "macros" / "odd_shell___v1_2_filter.yml"
    assert done.stdout.splitlines() == [str(file), str(macro)]
    values = read(file)
    assert str(values["search"]).endswith("\n| `odd_shell___v1_2_filter`")
    assert (values["author"], values["type"], values["version"]) == ("Ada", "Anomaly", 1)
    assert values["status"] == "experimental"  # it has no test yet
    assert values["rba"] == {
        "message": "Odd Shell - v1.2 on $dest$ by $user$",
        "risk_objects": [
            {"field": "dest", "type": "system", "score": 50},
            {"field": "user", "type": "user", "score": 50},
        ],
        "threat_objects": [],
    }
    assert read(macro)["definition"] == "search *"
    assert validate(escudo, repository)["detections"]["total"] == 2


def test_every_kind_of_element_validates(escudo: Run, repository: Path) -> None:
    root = ("--root", repository)
    made = [
        escudo("new", "story", "Odd Things", *root, "--category", "Malware"),
        escudo("new", "data_source", "Odd Log", *root, "--source", "a", "--sourcetype", "b"),
        escudo("new", "macro", "odd", *root, "--definition", "index=$i$", "--argument", "i"),
        escudo("new", "lookup", "hosts", *root, "--column", "host", "--column", "note"),
        escudo("new", "lookup", "seen", *root, "--type", "kvstore", "--column", "user"),
        escudo(
            *("new", "baseline", "Odd Hosts Seen", *root, "--story", "Odd Things"),
            *("--search", "| makeresults | eval user=1 | outputlookup seen"),
            *("--detection", "Shadow Copies Deleted", "--cron", "5 1 * * *"),
        ),
    ]
    assert [m.stderr for m in made if m.returncode] == []
    assert (repository / "lookups" / "hosts.csv").read_bytes() == b"host,note\n"
    assert read(repository / "lookups" / "seen.yml")["fields"] == ["_key", "user"]
    verdict = validate(escudo, repository)
    assert verdict["baselines"]["total"] == 1
    assert verdict["files"]["told"] == []


def test_nothing_is_overwritten(escudo: Run, repository: Path) -> None:
    given = ("new", "macro", "odd", "--root", repository, "--definition")
    assert escudo(*given, "index=a").returncode == 0
    again = escudo(*given, "index=b")
    assert again.returncode == 1
    assert "AUT002" in again.stderr
    assert read(repository / "macros" / "odd.yml")["definition"] == "index=a"


def test_a_name_that_is_known_elsewhere_is_refused(escudo: Run, repository: Path) -> None:
    done = escudo(
        *("new", "detection", "shadow copies deleted", "--root", repository),
        *("--search", SEARCH, "--folder", "cloud"),
    )
    assert done.returncode == 1
    assert "AUT002" in done.stderr


def test_what_escudo_brings_can_be_defined_anew(escudo: Run, repository: Path) -> None:
    """A repository needs a definition of its own, since Splunk has not got Escudo's."""
    given = ("new", "macro", "summariesonly_config", "--root", repository, "--definition", "true")
    done = escudo(*given)
    assert done.returncode == 0, done.stderr
    assert escudo(*given).returncode == 1  # now it is there


def test_a_terminal_is_asked(repository: Path) -> None:
    with Terminal("new", "detection", "--root", repository, columns=200) as terminal:
        for question, answer in (
            ("name", "Odd Hunt"),
            ("search", "| makeresults | eval dest=1"),
            (r"type.*TTP", "sometimes"),
            (r"'sometimes' is not one of", "hunting"),
            ("description", ""),
            ("data source", "Sysmon EventID 1"),
            ("story", ""),
            (r"technique.*several", "T1047, T1059.001"),
        ):
            terminal.expect(question)
            terminal.expect(": $")
            terminal.send(f"{answer}\n")
        code, text = terminal.finish()
    assert code == 0, text
    values = read(repository / "detections" / "endpoint" / "odd_hunt.yml")
    assert values["type"] == "Hunting"
    assert values["data_source"] == ["Sysmon EventID 1"]
    assert values["description"] == "Finds events of: Odd Hunt."
    tags = values["tags"]
    assert isinstance(tags, dict)
    assert tags["mitre_attack_id"] == ["T1047", "T1059.001"]


def test_a_terminal_is_not_asked_for_what_another_option_says(repository: Path) -> None:
    table = repository.parent / "table.csv"
    table.write_text("host,note\na,b\n")
    given = ("new", "lookup", "hosts", "--type", "csv", "--csv", table, "--description", "a")
    with Terminal(*given, "--root", repository) as terminal:
        code, text = terminal.finish()
    assert code == 0, text
    assert (repository / "lookups" / "hosts.csv").read_text() == "host,note\na,b\n"


def test_what_a_terminal_takes_back_writes_nothing(repository: Path) -> None:
    before = sorted(repository.rglob("*"))
    with Terminal("new", "macro", "odd", "--root", repository) as terminal:
        terminal.expect("definition")
        terminal.send("\x03")
        code, _ = terminal.finish()
    assert code == 130
    assert sorted(repository.rglob("*")) == before


def test_a_baseline_with_a_window_of_its_own(escudo: Run, repository: Path) -> None:
    done = escudo(
        *("new", "baseline", "Odd Hosts Seen", "--root", repository, "--earliest", "-7d@d"),
        *("--search", "| makeresults | eval user=1 | outputlookup seen"),
    )
    assert done.returncode == 0, done.stderr
    values = read(repository / "baselines" / "odd_hosts_seen.yml")
    assert values["deployment"] == {
        "scheduling": {
            "cron_schedule": "10 0 * * *",
            "earliest_time": "-7d@d",
            "latest_time": "-10m@m",
            "schedule_window": "auto",
        }
    }


def test_stdout_shows_and_writes_nothing(escudo: Run, repository: Path) -> None:
    before = sorted(repository.rglob("*"))
    done = escudo(
        *("new", "macro", "odd", "--root", repository, "--definition", "index=a", "--stdout")
    )
    assert "definition: index=a" in done.stdout
    assert sorted(repository.rglob("*")) == before


WRONG = [
    ("AUT001", "macro", "two words", {"definition": "a"}),
    ("AUT003", "detection", "No Risk", {"fields": ("count",)}),
    ("AUT003", "detection", "No Source", {"test_data": ("a.xml",)}),
    ("AUT003", "detection", "No Test", {"status": "production"}),
    ("AUT003", "detection", "No Data", {"source": "a"}),
    ("AUT003", "lookup", "no_columns", {"type": "csv"}),
    ("AUT004", "lookup", "no_file", {"type": "kvstore", "csv": "a.csv"}),
    ("AUT004", "lookup", "twice", {"type": "csv", "csv": "a.csv", "column": ("a",)}),
    ("AUT004", "lookup", "no_table", {"type": "csv", "csv": "there/is/none.csv"}),
    ("AUT004", "data_source", "None", {"source": "a", "sourcetype": "b", "example": "a\0b"}),
    ("AUT004", "detection", "Odd Score", {"risk_object": ("dest:system:\u00b2",)}),
    ("AUT004", "detection", "Hunt", {"type": "Hunting", "risk_object": ("dest",)}),
    ("AUT004", "detection", "Hunt", {"type": "Hunting", "message": "on $dest$"}),
    ("AUT004", "detection", "Bad Technique", {"technique": ("T10",)}),
    ("AUT004", "detection", "Bad Score", {"risk_object": ("dest:system:900",)}),
    ("AUT004", "detection", "Bad Type", {"risk_object": ("dest:machine",)}),
    ("AUT004", "detection", "Bad Period", {"throttle": "dest:1 day"}),
    ("AUT004", "detection", "Bad URL", {"reference": ("example.org",)}),
    ("AUT004", "detection", "Bad CVE", {"cve": ("CVE-24",)}),
    ("AUT004", "macro", "unused", {"definition": "a", "argument": ("b",)}),
    ("AUT004", "lookup", "bad_match", {"type": "csv", "column": "a", "match_type": ("LIKE(a)",)}),
    ("AUT004", "lookup", "many", {"type": "csv", "column": "a", "max_matches": 1001}),
    ("AUT004", "story", "Bad Category", {"category": ("Odd",), "use": "Other"}),
    ("AUT004", "data_source", "Bad", {"source": "a", "sourcetype": "b", "add_on": ("TA",)}),
    ("AUT006", "detection", "No Field", {"risk_object": ("src:system",)}),
    ("AUT006", "detection", "No Token", {"message": "on $src$"}),
    ("AUT006", "detection", "No Threat", {"threat_object": ("url",)}),
    ("AUT006", "lookup", "no_column", {"type": "csv", "column": "a", "match_type": ("CIDR(b)",)}),
]


@pytest.mark.parametrize(("code", "kind", "name", "answers"), WRONG, ids=lambda v: str(v)[:20])
def test_an_answer_that_does_not_fit(
    code: str, kind: str, name: str, answers: dict[str, Any]
) -> None:
    identity = Identity(name=name, author="Ada", today=date(2024, 5, 14), id=uuid.UUID(int=1))
    fields = answers.get("fields", ("dest", "user", "process_name"))
    usual = {f.name: () if f.shape is Shape.TEXTS else f.default for f in FIELDS[kind]}
    with pytest.raises(EscudoError) as caught:
        build_element(kind, identity, {**usual, "search": SEARCH, **answers}, fields)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("code", "name", "options"),
    [
        ("AUT001", "../..", ("--search", SEARCH)),
        ("AUT001", "x" * 80, ("--search", SEARCH)),
        ("AUT003", "No Search", ()),
        ("AUT005", "No Story", ("--search", SEARCH, "--story", "Recovery Preventoin")),
        ("AUT005", "No Data", ("--search", SEARCH, "--data-source", "Sysmon EventID 1 AND B")),
        ("AUT006", "No Field", ("--search", SEARCH, "--risk-object", "src:system")),
        ("SPL110", "No Macro", ("--search", "| makeresults | `nobody_knows_it`")),
    ],
)
def test_what_does_not_fit_is_told_and_not_written(
    escudo: Run, repository: Path, code: str, name: str, options: tuple[str, ...]
) -> None:
    before = sorted(repository.rglob("*"))
    done = escudo("new", "detection", name, "--root", repository, *options)
    assert (done.returncode, code in done.stderr) == (1, True), done.stderr
    assert sorted(repository.rglob("*")) == before


def test_files_that_cannot_all_be_written_are_not_written(tmp_path: Path) -> None:
    (tmp_path / "detections").write_text("a file, not a folder")
    files = [NewFile(PurePosixPath(p), b"") for p in ("macros/a.yml", "detections/b.yml")]
    with pytest.raises(EscudoError):
        write_files(tmp_path, files)
    assert [p.name for p in tmp_path.iterdir()] == ["detections"]


CONTENTCTL = os.environ.get("ESCUDO_CONTENTCTL")


@pytest.mark.slow
@pytest.mark.skipif(CONTENTCTL is None, reason="ESCUDO_CONTENTCTL names no contentctl 5.6.2")
def test_contentctl_validates_what_is_made(escudo: Run, repository: Path) -> None:
    root = ("--root", repository)
    data = "tests/shadow_copies_deleted/attack.xml"
    made = [
        escudo("new", "story", "Odd Things", *root),
        escudo("new", "data_source", "Odd Log", *root, "--source", "a", "--sourcetype", "b"),
        escudo("new", "macro", "odd", *root, "--definition", "index=$i$", "--argument", "i"),
        escudo("new", "lookup", "hosts", *root, "--column", "host", "--column", "note"),
        escudo("new", "lookup", "seen", *root, "--type", "kvstore", "--column", "user"),
        escudo(
            *("new", "baseline", "Odd Hosts Seen", *root, "--story", "Odd Things"),
            *("--search", "| makeresults | eval user=1 | outputlookup seen"),
            *("--detection", "Shadow Copies Deleted"),
        ),
        escudo(
            *("new", "detection", "Odd Shell", *root, "--search", SEARCH, "--story", "Odd Things"),
            *("--data-source", "Odd Log", "--throttle", "dest:12h", "--technique", "T1047"),
            *("--threat-object", "process_name", "--test-data", data, "--source", "a"),
            *("--sourcetype", "b", "--cve", "CVE-2024-1"),
        ),
        escudo(
            *("new", "detection", "Odd Hunt", *root, "--search", SEARCH, "--type", "Hunting"),
        ),
    ]
    assert [m.stderr for m in made if m.returncode] == []
    git = ("git", "-C", str(repository), "-c", "user.name=a", "-c", "user.email=a@example.org")
    for arguments in (("init", "-q"), ("add", "."), ("commit", "-qm", "all")):
        subprocess.run([*git, *arguments], check=True)
    assert CONTENTCTL is not None
    done = subprocess.run(
        [CONTENTCTL, "validate"], cwd=repository, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:]
