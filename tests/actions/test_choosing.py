"""Which detections arguments of `escudo test` mean, and which a git change touches."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from escudo.actions.changed_content import Changes, list_changed_files
from escudo.actions.choose_detections import choose_detections, sort_arguments
from escudo.content import load
from escudo.core.errors import EscudoError
from tests.tested_content import DATA, SYSMON, make_checkout, write_detection

BOTH = {"Finds One", "Finds Two"}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return make_checkout(tmp_path / "content")


def choose(*arguments: object, content: tuple[Path, ...] = ()) -> set[str]:
    chosen = sort_arguments([str(a) for a in arguments], content)
    return {d.name for d in choose_detections(chosen, load(chosen.content))}


def test_paths_and_names(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = write_detection(checkout, "Finds One", "cmd.exe")
    write_detection(checkout, "Finds Two", "powershell.exe")
    own = (checkout,)
    assert choose(checkout) == choose(checkout / "detections") == choose(content=own) == BOTH
    assert choose(one) == {"Finds One"}
    assert choose("finds_two", content=own) == choose("FINDS TWO", content=own) == {"Finds Two"}
    assert choose("*two*", one, content=own) == BOTH
    assert choose("*/detections/finds_o*.yml", content=own) == {"Finds One"}
    assert choose("Process Execution via WMI", content=own) == {"Process Execution via WMI"}
    monkeypatch.chdir(checkout)
    assert choose() == BOTH
    monkeypatch.chdir(checkout.parent)
    with pytest.raises(EscudoError, match="no content to test"):
        choose()


def test_a_file_brings_the_macros_of_its_checkout(checkout: Path) -> None:
    one = write_detection(checkout, "Finds One", "`programs`")
    (checkout / "macros/programs.yml").write_text("name: programs\ndefinition: cmd.exe\n")
    chosen = sort_arguments([str(one)], ())
    assert chosen.content == (checkout,)
    assert load(chosen.content).knowledge.macro("programs", 0) is not None


@pytest.mark.parametrize(
    ("argument", "code"),
    [("nothing*", "CON205"), ("Nothing", "CON205"), ("gone.yml", "CLI006")],
)
def test_what_is_not_there(argument: str, code: str, checkout: Path) -> None:
    write_detection(checkout, "Finds One", "cmd.exe")
    with pytest.raises(EscudoError) as error:
        choose(argument, content=(checkout,))
    assert error.value.code == code
    with pytest.raises(EscudoError, match="holds no detection"):
        choose(checkout / "macros")


def git(root: Path, *arguments: str) -> None:
    who = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    subprocess.run(["git", "-C", str(root), *who, *arguments], check=True, capture_output=True)


def touched(checkout: Path, revision: str = "HEAD") -> set[str]:
    content = load([checkout])
    changes = Changes(content, list_changed_files(checkout, revision))
    return {d.name for d in changes.keep(content.detections)}


def test_a_change_touches_what_uses_it(checkout: Path) -> None:
    write_detection(checkout, "By Macro", "`programs`")
    write_detection(checkout, "By Lookup", "* NOT [| inputlookup usual]")
    write_detection(checkout, "By Another Lookup", "* NOT [| inputlookup usual_not]")
    write_detection(checkout, "Alone", "cmd.exe")
    own = [{"name": "finds", "attack_data": [{"data": "tests/own.xml", **SYSMON}]}]
    write_detection(checkout, "By Data", "cmd.exe", tests=own)
    (checkout / "tests/own.xml").write_bytes((DATA / "attack.xml").read_bytes())
    (checkout / "macros/programs.yml").write_text("name: programs\ndefinition: '`inner`'\n")
    inner = checkout / "macros/inner.yml"
    inner.write_text("name: inner\ndefinition: cmd.exe\n")
    lookup = yaml.safe_dump({"name": "usual", "filename": "usual.csv"})
    (checkout / "lookups/usual.yml").write_text(lookup)
    table = checkout / "lookups/usual.csv"
    table.write_text("process_name\nsvchost.exe\n")
    git(checkout, "init", "-q")
    git(checkout, "add", "-A")
    git(checkout, "commit", "-qm", "first")
    assert touched(checkout) == set()
    inner.write_text("name: inner\ndefinition: w*\n")
    assert touched(checkout) == {"By Macro"}
    table.write_text("process_name\nlsass.exe\n")
    assert touched(checkout) == {"By Macro", "By Lookup"}
    git(checkout, "commit", "-qam", "second")
    assert touched(checkout) == set()
    assert touched(checkout, "HEAD~1") == {"By Macro", "By Lookup"}
    with (checkout / "tests/own.xml").open("a") as data:
        data.write("\n")
    write_detection(checkout, "Brand New", "cmd.exe")
    assert touched(checkout) == {"By Data", "Brand New"}
    inner.unlink()
    assert touched(checkout) == {"By Data", "Brand New", "By Macro"}


def test_git_that_cannot_answer(checkout: Path) -> None:
    with pytest.raises(EscudoError, match="CLI040"):
        list_changed_files(checkout, "HEAD")
    git(checkout, "init", "-q")
    git(checkout, "add", "-A")
    git(checkout, "commit", "-qm", "first")
    with pytest.raises(EscudoError, match="CLI040"):
        list_changed_files(checkout, "nosuch")
    with pytest.raises(EscudoError, match="CLI040"):
        list_changed_files(checkout, "--output=made")
    assert not (checkout / "made").exists()
