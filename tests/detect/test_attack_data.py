"""Where the data of a test is found: beside the detection, in a checkout, behind an LFS pointer,
in the folder of downloads, by fetching it."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Barrier, BrokenBarrierError

import pytest

from escudo.content import Detection
from escudo.content.elements.detection import AttackData
from escudo.core.errors import EscudoError
from escudo.detect.attack_data import (
    AbsentData,
    DataFinder,
    LocalData,
    name_download,
    read_pointer,
)
from tests.findings.matches import detection

URL = "https://host.example/repo/master/datasets/T1/b.log"


def data(place: str) -> AttackData:
    return AttackData(place, "", "")


@pytest.fixture
def own(tmp_path: Path) -> Detection:
    """A detection of a checkout."""
    folder = tmp_path / "content" / "detections" / "endpoint"
    folder.mkdir(parents=True)
    found = detection()
    root = str(tmp_path / "content")
    return replace(found, origin=replace(found.origin, file=str(folder / "x.yml"), root=root))


def put(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def find(finder: DataFinder, own: Detection, place: str) -> tuple[str, Path | str]:
    found = finder.find(own, data(place))
    if isinstance(found, LocalData):
        return found.origin, found.path
    return "absent", found.reason


def test_a_path_is_beside_the_detection_or_from_the_top_of_its_content(
    own: Detection, tmp_path: Path
) -> None:
    beside = put(tmp_path / "content/detections/endpoint/a.xml", "x")
    top = put(tmp_path / "content/tests/b.xml", "x")
    assert find(DataFinder(), own, "a.xml") == ("path", beside)
    assert find(DataFinder(), own, "../../tests/b.xml") == ("path", top)
    assert find(DataFinder(), own, "tests/b.xml") == ("path", top)
    assert find(DataFinder(), own, "gone.xml") == ("absent", "no file gone.xml")


def test_a_url_is_fetched_once_whoever_asks(own: Detection, tmp_path: Path) -> None:
    fetched: list[str] = []
    both = Barrier(2)

    def fetch(url: str, path: Path) -> None:
        fetched.append(url)
        with suppress(BrokenBarrierError):
            both.wait(0.1)  # another one would be here meanwhile
        put(path, "x")

    finder = DataFinder(kept=tmp_path / "kept", make_fetch=lambda: fetch)
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: find(finder, own, URL)[0], range(2)))
    assert sorted(found) == ["download", "kept"]
    assert fetched == [URL]


def test_a_path_that_leads_out_is_an_error(own: Detection, tmp_path: Path) -> None:
    put(tmp_path / "secret.xml", "x")
    with pytest.raises(EscudoError) as error:
        DataFinder().find(own, data("../../../secret.xml"))
    assert error.value.code == "CON211"


def test_a_url_has_a_copy_in_a_checkout_of_attack_data(own: Detection, tmp_path: Path) -> None:
    copy = put(tmp_path / "copies/datasets/T1/b.log", "x")
    assert find(DataFinder([tmp_path / "copies"]), own, URL) == ("copy", copy)
    assert find(DataFinder(), own, URL) == ("absent", f"no local copy of {URL}")


def pointer_to(content: bytes) -> bytes:
    digest = hashlib.sha256(content).hexdigest()
    return (
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(content)}\n"
    ).encode()


def put_object(git: Path, content: bytes) -> Path:
    digest = hashlib.sha256(content).hexdigest()
    return put(git / "lfs/objects" / digest[:2] / digest[2:4] / digest, content)


def test_a_pointer_stands_for_the_object_of_its_checkout(own: Detection, tmp_path: Path) -> None:
    checkout = tmp_path / "attack_data"
    put(checkout / "datasets/T1/b.log", pointer_to(b"events"))
    finder = DataFinder([checkout])
    (checkout / ".git").mkdir()
    outcome, reason = find(finder, own, URL)
    assert outcome == "absent"
    assert "Git LFS pointer" in str(reason)
    assert find(finder, own, URL) == (outcome, reason)
    target = put_object(checkout / ".git", b"events")
    assert find(finder, own, URL) == ("lfs", target)


def test_an_object_of_another_size_is_not_taken(own: Detection, tmp_path: Path) -> None:
    checkout = tmp_path / "attack_data"
    put(checkout / "datasets/T1/b.log", pointer_to(b"events"))
    put_object(checkout / ".git", b"events").write_bytes(b"cut")
    assert find(DataFinder([checkout]), own, URL)[0] == "absent"


def test_a_worktree_has_the_objects_of_its_repository(own: Detection, tmp_path: Path) -> None:
    main, tree = tmp_path / "main/.git", tmp_path / "tree"
    put(main / "worktrees/tree/commondir", "../..\n")
    put(tree / ".git", f"gitdir: {main / 'worktrees/tree'}\n")
    put(tree / "datasets/T1/b.log", pointer_to(b"events"))
    target = put_object(main, b"events")
    outcome, path = find(DataFinder([tree]), own, URL)
    assert outcome == "lfs"
    assert Path(path).resolve() == target


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"version https://git-lfs.github.com/spec/v1\n",
        pointer_to(b"x")[:-1],
        b"<Event/>\n" + pointer_to(b"x"),
        pointer_to(b"x") + b"x" * 1024,
    ],
)
def test_what_is_no_pointer(content: bytes, tmp_path: Path) -> None:
    assert read_pointer(put(tmp_path / "f", content)) is None


def test_a_pointer_may_have_extensions(tmp_path: Path) -> None:
    text = pointer_to(b"abc").replace(b"oid", b"ext-0-foo sha256:00\noid")
    assert read_pointer(put(tmp_path / "f", text)) == (hashlib.sha256(b"abc").hexdigest(), 3)


def test_what_was_fetched_is_kept_and_used_offline(own: Detection, tmp_path: Path) -> None:
    fetched: list[str] = []

    def fetch(url: str, target: Path) -> None:
        fetched.append(url)
        put(target, "events")

    kept = tmp_path / "kept"
    online = DataFinder(kept=kept, make_fetch=lambda: fetch)
    path = kept / name_download(URL)
    assert find(online, own, URL) == ("download", path)
    assert find(online, own, URL) == ("kept", path)
    assert find(DataFinder(kept=kept), own, URL) == ("kept", path)
    assert fetched == [URL]


def test_what_cannot_be_fetched_is_asked_for_once(own: Detection, tmp_path: Path) -> None:
    asked: list[str] = []

    def fetch(url: str, _target: Path) -> None:
        asked.append(url)
        raise EscudoError("DET110", f"{url} cannot be fetched: 404 Not Found")

    finder = DataFinder(kept=tmp_path, make_fetch=lambda: fetch)
    for _ in range(2):
        assert find(finder, own, URL) == ("absent", f"{URL} cannot be fetched: 404 Not Found")
    assert asked == [URL]


def test_only_http_is_fetched(own: Detection, tmp_path: Path) -> None:
    def fetch(url: str, target: Path) -> None:
        raise AssertionError(url)

    finder = DataFinder(kept=tmp_path, make_fetch=lambda: fetch)
    for url in ("file:///etc/passwd", "ftp://host.example/a"):
        assert finder.find(own, data(url)) == AbsentData(
            data(url), f"{url} is neither http nor https"
        )


def test_two_urls_with_the_same_end_are_two_files() -> None:
    assert name_download("https://a.example/x.log") != name_download("https://b.example/x.log")
    assert "/" not in name_download("https://a.example/../..%2f")
