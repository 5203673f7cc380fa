"""`escudo content`: packs from repositories, archives and folders; pinned, updated after a look,
with local changes that stay."""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest

from escudo import content as contents
from escudo.actions.content_packs import add_pack, list_states, switch_detections, update_pack
from escudo.authoring.store.origins import Kind, Origin, digest_tree, read_origin
from escudo.authoring.store.packs import Store
from escudo.content.packs import find_pack
from escudo.core.errors import EscudoError
from tests.authoring.git_repository import commit_all, git
from tests.authoring.test_diff import SEARCH, put, put_detection
from tests.cli.conftest import Run
from tests.cli.terminals import Terminal

NOW = 1_716_000_000.0


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "acme_content"
    put_detection(folder)
    put_detection(folder, "Another One")
    put(folder, "macros/tool.yml", {"name": "tool", "definition": "wmic.exe", "description": "a"})
    put(folder, "lookups/known.yml", {"name": "known", "filename": "known.csv"})
    put(folder, "lookups/known.csv", "process,note\na,b\n")
    return folder


@pytest.fixture
def remote(checkout: Path, tmp_path: Path) -> Path:
    """A bare repository that the checkout is pushed to."""
    commit_all(checkout)
    bare = tmp_path / "remote" / "acme_content.git"
    bare.parent.mkdir()
    git(checkout, "clone", "-q", "--bare", ".", str(bare))
    git(checkout, "remote", "add", "origin", str(bare))
    return bare


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def push(checkout: Path) -> str:
    commit = commit_all(checkout)
    git(checkout, "push", "-q", "origin", "HEAD:main")
    return commit


def add(store: Store, source: object, **options: Any) -> Any:
    usual: dict[str, Any] = {"name": None, "ref": "", "path": ""}
    return add_pack(store, str(source), now=NOW, **{**usual, **options})


def update(store: Store, name: str = "acme_content", *, take: bool = True, **options: Any) -> Any:
    return update_pack(store, name, now=NOW, rows_of=None, decide=lambda _: take, **options)


def load(store: Store, name: str = "acme_content") -> contents.Content:
    folder = find_pack(store.folder, name)
    assert folder is not None
    return contents.load([folder], builtin=False)


def test_a_repository_is_pinned_by_its_commit(remote: Path, checkout: Path, store: Store) -> None:
    first = git(checkout, "rev-parse", "HEAD")
    state = add(store, f"file://{remote}")
    assert (state.pack.name, state.pack.pin) == ("acme_content", first)
    assert (state.detections, state.enabled, state.errors) == (2, 2, ())
    put_detection(checkout, version=2, search=SEARCH + "| where count > 5")
    second = push(checkout)
    assert load(store).detection("Odd Shell").version == 1  # nothing moves by itself
    assert not update(store, take=False).taken
    assert load(store).detection("Odd Shell").version == 1
    done = update(store)
    assert (done.taken, done.after.pin) == (True, second)
    (change,) = done.difference.comparison.changes
    assert (change.name, change.logic.meaning.value) == ("Odd Shell", "changed")
    assert load(store).detection("Odd Shell").version == 2
    assert update(store).difference is None


def test_a_tag_a_branch_and_a_commit(remote: Path, checkout: Path, store: Store) -> None:
    first = git(checkout, "rev-parse", "HEAD")
    git(checkout, "tag", "v1")
    git(checkout, "push", "-q", "origin", "v1")
    put_detection(checkout, version=2)
    second = push(checkout)
    assert add(store, remote, name="tag", ref="v1").pack.pin == first
    assert add(store, remote, name="branch", ref="main").pack.pin == second
    assert add(store, remote, name="commit", ref=first).pack.pin == first
    assert add(store, remote, name="short", ref=first[:10]).pack.pin == first
    assert update(store, "tag", ref="main").after.pin == second


def test_a_checkout_gives_what_is_committed(checkout: Path, store: Store) -> None:
    commit = commit_all(checkout)
    put_detection(checkout, "Not Committed")
    state = add(store, checkout)
    assert (state.pack.origin.kind, state.pack.pin, state.detections) == (Kind.GIT, commit, 2)
    assert not list(state.pack.content.rglob(".git"))


def test_a_folder_is_pinned_by_what_is_in_it(checkout: Path, store: Store) -> None:
    state = add(store, checkout, name="mine")
    assert (state.pack.origin.kind, state.pack.pin) == (Kind.FOLDER, digest_tree(checkout))
    shutil.copytree(checkout, checkout.with_name("copy"))
    assert digest_tree(checkout.with_name("copy")) == state.pack.pin
    put(checkout, "lookups/known.csv", "process,note\na,c\n")
    assert digest_tree(checkout) != state.pack.pin
    done = update(store, "mine")
    assert {c.name for c in done.difference.comparison.changes} == {
        "known",
        "Odd Shell",
        "Another One",
    }


def test_a_part_of_a_repository(remote: Path, checkout: Path, store: Store) -> None:
    shutil.move(checkout / "detections", checkout / "deep" / "detections")
    push(checkout)
    assert add(store, remote, path="deep").detections == 2
    for path in ("nowhere", "../..", "/etc"):
        with pytest.raises(EscudoError) as caught:
            add(store, remote, name="other", path=path)
        assert caught.value.code == "AUT033"


def test_local_changes_and_switches_survive(remote: Path, checkout: Path, store: Store) -> None:
    pack = add(store, remote).pack
    change = {"change": "Odd Shell", "replace": [{"from": "wmic", "to": "mic"}], "enabled": True}
    put_detection(checkout, search="index=wmic | `tool`")
    put_detection(checkout, "Another One", enabled_by_default=False)
    push(checkout)
    update(store)
    put(pack.overlay, "local.yml", change)
    switch_detections(store, pack.name, ["another one"], on=True)
    switch_detections(store, pack.name, ["Odd Shell"], on=False)
    switch_detections(store, pack.name, ["Odd Shell"], on=True)

    def look() -> dict[str, tuple[str, bool]]:
        return {d.name: (d.search, d.enabled) for d in load(store).detections}

    assert look() == {"Odd Shell": ("index=mic | `tool`", True), "Another One": (SEARCH, True)}
    (checkout / "detections" / "another_one.yml").unlink()
    put_detection(checkout, "Another 1st", enabled_by_default=False)  # the same id, another name
    push(checkout)
    done = update(store)
    assert (done.misfits, done.enabled) == ((), (2, 2))
    assert look() == {"Odd Shell": ("index=mic | `tool`", True), "Another 1st": (SEARCH, True)}


def test_local_changes_that_no_longer_fit_are_told(
    escudo: Run, remote: Path, checkout: Path, store: Store
) -> None:
    pack = add(store, remote).pack
    put(pack.overlay, "a.yml", {"change": "Odd Shell", "replace": [{"from": "tool", "to": "t"}]})
    put(pack.overlay, "b.yml", {"change": "Another One", "risk_score": 5})
    put_detection(checkout, search="index=a")
    (checkout / "detections" / "another_one.yml").unlink()
    push(checkout)
    looked = escudo("content", "update", "--store", store.folder, "--format", "json")
    assert looked.returncode == 1
    assert "CON301" in looked.stderr
    assert "CON302" in looked.stderr
    assert "2 local changes no longer fit" in looked.stderr
    told = json.loads(looked.stdout)
    assert {c["name"]: c["state"] for c in told["changes"]} == {
        "Odd Shell": "changed",
        "Another One": "removed",
    }
    assert len(load(store).detections) == 2  # only looked at


def test_removed_and_added_again_with_its_local_changes(remote: Path, store: Store) -> None:
    pack = add(store, remote).pack
    put(pack.overlay, "a.yml", {"change": "Odd Shell", "risk_score": 5, "enabled": False})
    with store.locked():
        assert store.remove(pack.name, with_overlay=False)
    assert list_states(store) == []
    assert add(store, remote).enabled == 1
    with store.locked():
        assert not store.remove(pack.name, with_overlay=True)
    assert not pack.folder.exists()
    with pytest.raises(EscudoError) as caught, store.locked():
        store.remove(pack.name, with_overlay=True)
    assert caught.value.code == "AUT032"


def test_the_command_line_finds_a_pack_by_its_name(
    escudo: Run, remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ESCUDO_STORE", str(tmp_path / "packs"))
    done = escudo("content", "add", remote, "--name", "acme", "--format", "json")
    assert done.returncode == 0, done.stderr
    (told,) = json.loads(done.stdout)
    assert (told["name"], told["detections"]) == ("acme", 2)
    assert escudo("format", "Odd Shell", "--content", "acme").stdout.startswith("| tstats count")
    assert "does not exist" in escudo("format", "Odd Shell", "--content", "acne").stderr
    config = tmp_path / "config.toml"
    config.write_text('content = ["acme"]\n')
    by_settings = escudo("--config", config, "format", "Odd Shell")
    assert by_settings.stdout.startswith("| tstats count"), by_settings.stderr
    listed = escudo("content", "list", "--format", "json")
    assert [p["pin"] for p in json.loads(listed.stdout)] == [told["pin"]]
    assert escudo("content", "enable", "acme", "Odd Shell").stdout == "1 detections are on\n"
    assert "CON205" in escudo("content", "enable", "acme", "Odder").stderr
    assert escudo("content", "remove", "acme").returncode == 0
    assert json.loads(escudo("content", "list", "--format", "json").stdout) == []


def test_an_app_package_of_a_release_and_the_next(
    escudo: Run, checkout: Path, tmp_path: Path, store: Store
) -> None:
    """As ESCU comes: every detection is off; those that were turned on stay on."""

    def build(version: str) -> Path:
        given = ("-o", tmp_path, "--appid", "acme", "--version", version, "--label", "Acme")
        done = escudo("build", checkout, *given, "--format", "json")
        assert done.returncode == 0, done.stderr
        return Path(json.loads(done.stdout)["archive"])

    state = add(store, build("1.0.0"), name="acme")
    assert (state.pack.origin.kind, state.detections, state.enabled) == (Kind.ARCHIVE, 2, 0)
    switch_detections(store, "acme", ["Odd Shell"], on=True)
    put_detection(checkout, version=2, search=SEARCH + "| where count > 5")
    done = update(store, "acme", source=str(build("1.1.0")))
    assert done.enabled == (1, 1)
    changes = {c.name: c for c in done.difference.comparison.changes}
    assert list(changes) == ["Odd Shell"]
    assert changes["Odd Shell"].versions == (1, 2)


def tar(path: Path, *members: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(b"x" * member.size))
    return path


def member(name: str, **attributes: object) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    for key, value in attributes.items():
        setattr(made, key, value)
    return made


HOSTILE: dict[str, tarfile.TarInfo] = {
    "a path above": member("app/../../evil.yml", size=1),
    "a root path": member("/etc/evil.yml", size=1),
    "a link above": member("app/default", type=tarfile.SYMTYPE, linkname="../../.."),
    "a root link": member("app/lookups/a.csv", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
    "a hard link": member("app/a.csv", type=tarfile.LNKTYPE, linkname="../../../etc/passwd"),
    "a device": member("app/null", type=tarfile.CHRTYPE, devmajor=1, devminor=3),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_archive_is_refused(store: Store, tmp_path: Path, what: str) -> None:
    archive = tar(tmp_path / "app.tgz", member("app/default/macros.conf", size=1), HOSTILE[what])
    with pytest.raises(EscudoError) as caught:
        add(store, archive)
    if what == "a root path":  # tar's own rule: it is taken as one below the folder
        assert caught.value.code == "AUT033"
    else:
        assert caught.value.code == "CON221"
    assert list_states(store) == []
    assert [p.name for p in store.folder.iterdir()] == [".lock"]
    assert not Path("/etc/evil.yml").exists()


def test_a_damaged_archive_and_one_without_content(store: Store, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.spl"
    damaged.write_bytes(b"\x1f\x8b\x08not a tar")
    for archive, code in (
        (damaged, "CON221"),
        (tar(tmp_path / "empty.tgz", member("a/readme", size=1)), "AUT033"),
    ):
        with pytest.raises(EscudoError) as caught:
            add(store, archive)
        assert caught.value.code == code


@pytest.mark.parametrize("link", ["/etc/passwd", "../../outside.csv"])
def test_links_that_lead_out_are_refused(
    checkout: Path, store: Store, tmp_path: Path, link: str
) -> None:
    (checkout / "lookups" / "out.csv").symlink_to(link)
    with pytest.raises(EscudoError) as caught:
        add(store, checkout, name="folder")
    assert caught.value.code == "AUT034"
    commit_all(checkout)
    with pytest.raises(EscudoError) as caught:
        add(store, checkout, name="git")
    assert caught.value.code == "CON221"
    assert list_states(store) == []


def test_what_is_no_file_is_refused(checkout: Path, store: Store) -> None:
    os.mkfifo(checkout / "lookups" / "pipe.csv")
    with pytest.raises(EscudoError) as caught:
        add(store, checkout)
    assert caught.value.code == "AUT034"


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("ext::sh -c touch% /tmp/evil", "AUT033"),
        ("--upload-pack=touch evil", "AUT033"),
        ("https://ada:secret@host.example/a.git", "AUT030"),
        ("nowhere", "AUT033"),
    ],
)
def test_a_source_that_is_none(store: Store, source: str, code: str) -> None:
    with pytest.raises(EscudoError) as caught:
        add(store, source)
    assert caught.value.code == code
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("ref", ["nowhere", "--upload-pack=x", "a b", "deadbeef"])
def test_a_ref_that_is_none(remote: Path, store: Store, ref: str) -> None:
    with pytest.raises(EscudoError) as caught:
        add(store, remote, ref=ref)
    assert caught.value.code == "AUT030"
    assert [p.name for p in store.folder.iterdir()] == [".lock"]
    assert add(store, remote).detections == 2


@pytest.mark.parametrize("name", ["..", "a/b", "", ".hidden", "x" * 80])
def test_a_name_that_no_pack_can_have(remote: Path, store: Store, name: str) -> None:
    if name == "":
        assert add(store, remote, name=name).pack.name == "acme_content"
        return
    with pytest.raises(EscudoError) as caught:
        add(store, remote, name=name)
    assert caught.value.code == "AUT001"


def test_without_git_an_archive_still_comes(
    remote: Path, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(EscudoError) as caught:
        add(store, remote)
    assert caught.value.code == "AUT031"
    folder = put(tmp_path, "app/default/macros.conf", "[a]\ndefinition = b\n").parent.parent
    assert add(store, folder).detections == 0


def test_a_failed_fetch_leaves_the_pack_as_it_was(remote: Path, store: Store) -> None:
    pin = add(store, remote).pack.pin
    remote.rename(remote.with_name("gone.git"))
    with pytest.raises(EscudoError):
        update(store)
    assert [s.pack.pin for s in list_states(store)] == [pin]
    assert len(load(store).detections) == 2


def test_what_a_killed_process_left_is_swept(remote: Path, store: Store) -> None:
    pack = add(store, remote).pack
    (pack.folder / ".incoming.all").mkdir()
    (pack.folder / "content-0123456789ab").mkdir()
    with store.locked():
        pass
    assert sorted(p.name for p in pack.folder.iterdir() if p.name != "repository.git") == [
        pack.content.name,
        "pack.json",
    ]


def test_what_is_no_pack_is_not_swept(store: Store) -> None:
    """The folder that a user names as a store may have others in it."""
    mine = store.folder / "website" / "content-0123456789ab"
    mine.mkdir(parents=True)
    (store.folder / "website" / "README.md").write_text("mine")
    (store.folder / "book" / "content-en").mkdir(parents=True)
    with store.locked():
        pass
    assert mine.is_dir()
    assert (store.folder / "book" / "content-en").is_dir()


@pytest.mark.parametrize(("answer", "taken"), [("y", True), ("n", False), ("", False)])
def test_a_terminal_is_asked_whether_to_take_an_update(
    remote: Path, checkout: Path, store: Store, answer: str, taken: bool
) -> None:
    old = add(store, remote).pack.pin
    put_detection(checkout, "Third")
    new = push(checkout)
    with Terminal("content", "update", "--store", store.folder, columns=200) as terminal:
        assert "+ Third" in terminal.expect(r"take it\? \[y/N\]: $")
        assert [s.pack.pin for s in list_states(store)] == [old]
        terminal.send(f"{answer}\n")
        code, text = terminal.finish()
    assert code == 0, text
    assert ("not taken" in text) is not taken
    assert [s.pack.pin for s in list_states(store)] == [new if taken else old]


def test_one_process_at_a_time(escudo: Run, remote: Path, store: Store) -> None:
    with store.locked():
        done = escudo("content", "add", remote, "--store", store.folder)
    assert (done.returncode, "AUT035" in done.stderr) == (1, True)


def test_a_damaged_pack_file_is_told(remote: Path, store: Store) -> None:
    pack = add(store, remote).pack
    for text in ("{", "[]", '{"content": "../.."}', '{"content": "content-gone"}'):
        (pack.folder / "pack.json").write_text(text)
        with pytest.raises(EscudoError) as caught:
            find_pack(store.folder, pack.name)
        assert caught.value.code == "CON231"


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("https://host.example/splunk/security_content.git", "security_content"),
        ("git@host.example:splunk/security_content.git", "security_content"),
        ("/data/DA-ESS-ContentUpdate-5.0.0.tar.gz", "DA-ESS-ContentUpdate-5.0.0"),
        ("/", "content"),
    ],
)
def test_a_pack_is_named_after_its_source(source: str, name: str) -> None:
    assert Origin(kind=Kind.GIT, source=source).usual_name == name


def test_a_url_is_a_repository() -> None:
    for text in ("https://a.example/b", "git@a.example:b", "ssh://a.example/b", "file:///b"):
        assert read_origin(text).kind is Kind.GIT
