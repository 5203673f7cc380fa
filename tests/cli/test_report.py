"""``escudo hunt --output report.html``, ``.md`` and ``--navigator``: what is in them, and that
nothing of a log is more than text in them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import pytest
from docs.browser import Browser, find_browser
from markdown_it import MarkdownIt

from tests.cli.conftest import Run
from tests.lake.logs import sysmon

pytestmark = pytest.mark.slow

_VOID = frozenset({"br", "meta", "link", "img", "input", "hr"})
_LOADING = (
    *("src", "srcset", "data", "poster", "background", "action", "formaction", "ping"),
    *("manifest", "xlink:href"),
)
SECTIONS = ("summary", "timeline", "attack", "findings", "hosts", "users", "risk")

HOSTILE = (
    "</script><img src=http://evil.example/x onerror=alert(1)>",
    "</style><style>*{background:url(http://evil.example/y)}",
    '" onmouseover="alert(2)" x="',
    "' autofocus onfocus=alert(3) '",
    "<!-- --><svg onload=alert(4)>]]>",
    "cod\u202eexe.gpj",
    "nul\x00 esc\x1b[31m c1\x9b",
    "a|b \\| c ``d`` ](http://evil.example) @everyone www.evil.example",
    "x" * 40_000,
    "{{ 7 * 191 }}{% raw %}",
    "pc\u200b1 a\u2066b\u2069 p\u200dc\xad \ufeffend",
    "one\r\n\n# two\n```\n<b>three</b>\n| a | b |",
)

UNSEEN = "\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
"""Characters that a reader does not see, or that move others."""


@dataclass
class Page(HTMLParser):
    """A page, read: its elements, whether they are balanced, its text outside of style and script,
    what it would load."""

    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    unbalanced: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    code: list[str] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        (self.code if self.open and self.open[-1] in ("style", "script") else self.text).append(
            data
        )

    def values(self, name: str) -> list[str]:
        """The values of an attribute, wherever it stands."""
        return [attributes[name] or "" for _, attributes in self.tags if name in attributes]

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


def read_page(path: Path) -> Page:
    page = Page()
    page.feed(path.read_text("utf-8"))
    page.close()
    return page


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory, escudo: Run) -> Path:
    """A generated day, hunted: ``report.html``, ``report.md`` and ``layer.json`` beside it."""
    folder = tmp_path_factory.mktemp("day")
    log, lake = folder / "day.xml", folder / "lake"
    assert escudo("generate", "--events", 8000, "--out", log).returncode == 0
    done = escudo(
        *("hunt", log, "--lake", lake, "--output", folder / "report.html"),
        *("--navigator", folder / "layer.json"),
    )
    assert done.returncode == 0, done.stderr
    done = escudo("hunt", "--lake", lake, "--output", folder / "report.md")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory, escudo: Run) -> Path:
    """Reports of processes whose hosts, users and command lines want to be more than text."""
    folder = tmp_path_factory.mktemp("hostile")
    log = folder / "day.json"
    log.write_text("".join(json.dumps(event) + "\n" for event in _events()))
    for name in ("report.html", "report.md"):
        done = escudo("hunt", log, "--output", folder / name)
        assert done.returncode == 0, done.stderr
    return folder


def _events() -> Iterator[dict[str, object]]:
    """Processes started through WMI, a second apart."""
    for number, text in enumerate(HOSTILE):
        time = f"2024-04-09 08:15:{number:02}"
        yield {
            "EventID": 1,
            "Channel": "Microsoft-Windows-Sysmon/Operational",
            "SourceName": "Microsoft-Windows-Sysmon",
            "Hostname": f"host{number} {text}",
            "EventTime": time,
            "UtcTime": f"{time}.000",
            "ProcessGuid": f"{{8a1d2f10-3c66-6612-9f01-0000000019{number:02}}}",
            "ProcessId": str(100 + number),
            "Image": "C:\\Windows\\System32\\cmd.exe",
            "CommandLine": f"cmd.exe {text}",
            "User": f"K\\user{number} {text}",
            "ParentImage": "C:\\Windows\\System32\\wbem\\WmiPrvSE.exe",
            "ParentProcessId": "7",
            "ParentCommandLine": f"wmiprvse.exe {text}",
        }


def check_self_contained(page: Page) -> None:
    """Nothing is loaded; a link leads into the page, or to ATT&CK when it is followed."""
    assert [name for name in _LOADING if page.values(name)] == []
    for tag, attributes in page.tags:
        if "href" in attributes:
            assert tag == "a"
            assert re.fullmatch(
                r"#[a-z]+\d*|https://attack\.mitre\.org/techniques/T\d{4}/(\d{3}/)?",
                attributes["href"] or "",
            )
        assert "style" not in attributes
        assert [name for name in attributes if name.startswith("on")] == []
    assert {tag for tag, _ in page.tags} & {"link", "img", "iframe", "object", "embed"} == set()
    assert re.findall(r"url\(|@import|fetch|XMLHttp|https?:", "".join(page.code)) == []
    (policy,) = [
        a["content"]
        for _, a in page.tags
        if (a.get("http-equiv") or "") == "Content-Security-Policy"
    ]
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy


def check_well_formed(page: Page) -> None:
    assert page.unbalanced == []
    assert page.open == []
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    targets = {h[1:] for h in page.values("href") if h.startswith("#")}
    assert targets <= set(ids)


def test_a_page_holds_all_that_it_needs(day: Path) -> None:
    page = read_page(day / "report.html")
    check_self_contained(page)
    check_well_formed(page)


def test_a_page_shows_what_was_found(day: Path) -> None:
    """The generated day has a WMI attack on known hosts, and risk that a correlation sums up."""
    page = read_page(day / "report.html")
    assert set(SECTIONS) <= set(page.values("id"))
    words = page.words
    assert "Process Execution via WMI" in words
    assert "T1047 Windows Management Instrumentation" in words
    for part in (
        "Rows by host and severity",
        "Processes around it",
        "Drilldown: View the detection results for",
        "Fields of the row, from ",
        "<Event xmlns=",
        "Risk Threshold Exceeded",
        "3 detections ran.",
        "All input was read.",
    ):
        assert part in words, part
    layer = json.loads((day / "layer.json").read_text())
    (found,) = [t for t in layer["techniques"] if t["techniqueID"] == "T1047"]
    cells = re.search(r"T1047 Windows Management Instrumentation (\d+)", words)
    assert cells is not None
    assert int(cells[1]) == found["score"] > 0


def test_a_hunt_without_a_report_loads_no_templates() -> None:
    told = subprocess.run(
        [sys.executable, "-c", "import sys, escudo.cli.commands.hunt; print(*sys.modules)"],
        capture_output=True,
        check=True,
        text=True,
    )
    assert "escudo.cli.hunt_files" in told.stdout.split()
    assert "jinja2" not in told.stdout.split()


def test_a_page_of_nothing_says_so(escudo: Run, tmp_path: Path) -> None:
    log = tmp_path / "day.xml"
    log.write_text(sysmon(3))
    for name in ("report.html", "report.md"):
        done = escudo("hunt", log, "--output", tmp_path / name)
        assert done.returncode == 0, done.stderr
        assert "No detection found anything." in (tmp_path / name).read_text()
    page = read_page(tmp_path / "report.html")
    check_self_contained(page)
    check_well_formed(page)


def test_hostile_values_are_text_in_a_page(hostile: Path) -> None:
    page = read_page(hostile / "report.html")
    check_self_contained(page)
    check_well_formed(page)
    text = "".join(page.text)
    for value in HOSTILE[:5]:
        assert f"cmd.exe {value}" in text
    assert "{{ 7 * 191 }}{% raw %}" in text
    assert r"cod\u202eexe.gpj" in text
    assert r"nul\x00 esc\x1b[31m c1\x9b" in text
    source = (hostile / "report.html").read_text("utf-8")
    assert r"cmd.exe pc\u200b1 a\u2066b\u2069 p\u200dc\xad \ufeffend" in text
    assert re.findall(f"[{UNSEEN}]", source) == []


def test_a_long_value_is_cut_and_told(hostile: Path) -> None:
    text = "".join(read_page(hostile / "report.html").text)
    assert "x" * 5_000 not in text
    # The command line has eight characters before the value; 600 are shown.
    assert "… (39,408 more characters)" in text


def test_hostile_values_are_text_in_markdown(hostile: Path) -> None:
    """No value makes an element, a link or a table's cell of its own, or a line of the file."""
    source = (hostile / "report.md").read_text("utf-8")
    tokens = MarkdownIt("commonmark").enable("table").parse(source)
    inline = [child for token in tokens for child in token.children or ()]
    kinds = {token.type for token in (*tokens, *inline)}
    assert kinds.isdisjoint({"html_block", "html_inline", "link_open", "image"})
    headings = [
        tokens[i + 1].content for i, token in enumerate(tokens) if token.type == "heading_open"
    ]
    assert [h for h in headings if "two" in h] == []
    plain = " ".join(child.content for child in inline if child.type == "text")
    assert "evil" not in plain
    assert "@everyone" not in plain
    rows: list[int] = []
    for token in tokens:
        if token.type in ("thead_open", "tr_open"):
            rows.append(0) if token.type == "tr_open" else None
        elif token.type in ("th_open", "td_open"):
            rows[-1] += 1
    assert max(rows) == 7
    assert "\x1b" not in source


def test_markdown_shows_what_was_found(day: Path) -> None:
    source = (day / "report.md").read_text()
    for part in (
        "## Summary",
        "## ATT&CK",
        "| T1047 | Windows Management Instrumentation | Execution |",
        "### medium: Process Execution via WMI",
        "Processes around it:",
        "## Coverage and its gaps",
    ):
        assert part in source, part
    assert "\n\n\n\n" not in source


def test_a_layer_has_the_fields_of_its_format(day: Path) -> None:
    """mitre-attack/attack-navigator, layers/spec/v4.5/layerformat.md: names, types, bounds."""
    layer = json.loads((day / "layer.json").read_text())
    assert layer["domain"] == "enterprise-attack"
    assert layer["versions"]["layer"] == "4.5"
    assert tuple(map(int, layer["versions"]["navigator"].split("."))) >= (4, 9, 0)
    assert isinstance(layer["name"], str)
    gradient = layer["gradient"]
    assert len(gradient["colors"]) >= 2
    assert gradient["maxValue"] > gradient["minValue"]
    assert layer["techniques"]
    documented = {
        *("techniqueID", "tactic", "comment", "enabled", "score", "color", "metadata", "links"),
        "showSubtechniques",
    }
    for technique in layer["techniques"]:
        assert set(technique) <= documented
        assert re.fullmatch(r"T\d{4}(\.\d{3})?", technique["techniqueID"])
        assert isinstance(technique["score"], int)
        assert all(set(item) == {"name", "value"} for item in technique["metadata"])
        assert all(isinstance(item["value"], str) for item in technique["metadata"])
        assert all(link["url"].startswith("https://") for link in technique["links"])


def test_rejected_input_and_what_was_asked_for_are_told(escudo: Run, tmp_path: Path) -> None:
    log = tmp_path / "day.json"
    events = [json.dumps(event) for event in _events()][:2]
    log.write_text("\n".join([events[0], '{"EventID": <b>', events[1]]) + "\n")
    options = ("--output", tmp_path / "report.html", "--output", tmp_path / "report.md")
    done = escudo("hunt", log, "--type", "TTP", *options)
    assert done.returncode == 1, done.stderr
    words = read_page(tmp_path / "report.html").words
    assert "1 input gave no event and was rejected." in words
    assert f"{log} SRC030 not valid JSON" in words
    assert "Asked for: --type TTP" in words
    source = (tmp_path / "report.md").read_text()
    assert "- 1 input gave no event and was rejected." in source
    assert "- Asked for: --type: `TTP`" in source


def test_a_report_is_bounded(escudo: Run, tmp_path: Path) -> None:
    """Many rows of one detection on one host are one finding: the first rows, and how many more."""
    events = []
    for number in range(300):
        event = next(iter(_events())) | {"Hostname": "pc1", "User": "K\\ann"}
        time = f"2024-04-09 08:{number // 60:02}:{number % 60:02}"
        event |= {"EventTime": time, "UtcTime": f"{time}.000", "ProcessId": str(number)}
        events.append(event | {"CommandLine": f"cmd.exe {number} " + "y" * 3_000})
    log = tmp_path / "day.json"
    log.write_text("".join(json.dumps(event) + "\n" for event in events))
    done = escudo("hunt", log, "--output", tmp_path / "report.html")
    assert done.returncode == 0, done.stderr
    page = tmp_path / "report.html"
    words = read_page(page).words
    assert "TTP, risk score 49; 300 rows in 1 finding" in words
    assert "295 more rows." in words
    assert page.stat().st_size < 200_000


needs_browser = pytest.mark.skipif(find_browser() is None, reason="there is no Chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser(find_browser() or "") as opened:
        yield opened


@needs_browser
@pytest.mark.parametrize("name", ["day", "hostile"])
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (400, True)])
def test_a_browser_shows_a_page(
    browser: Browser, name: str, width: int, dark: bool, request: pytest.FixtureRequest
) -> None:
    folder: Path = request.getfixturevalue(name)
    page = folder / "report.html"
    browser.requests.clear()
    browser.errors.clear()
    browser.open(page, width=width, dark=dark)
    assert browser.requests == [page.as_uri()]
    assert browser.errors == []
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    (red, *_) = map(
        int, re.findall(r"\d+", browser.evaluate("getComputedStyle(document.body).backgroundColor"))
    )
    assert (red < 60) == dark


@needs_browser
def test_the_filter_hides_what_has_not_its_words(browser: Browser, day: Path) -> None:
    browser.open(day / "report.html", width=1280)
    told = "document.querySelector('form.filter output').textContent"
    parts = "[...document.querySelectorAll('#findings article')]"
    count = browser.evaluate(f"{parts}.length")
    assert browser.evaluate(told) == f"{count} of {count} shown"
    browser.evaluate(
        "const box = document.querySelector('input[type=search]');"
        "const say = (words) => {box.value = words;"
        " box.dispatchEvent(new Event('input', {bubbles: true}))}"
    )
    browser.evaluate("say('24869767-8579-485d-9a4f-d9ddfd8f0cac wmi')")
    seen = f"{parts}.filter(a => a.checkVisibility()).map(a => a.querySelector('h3').textContent)"
    assert browser.evaluate(seen) == ["Process Execution via WMI"]
    assert browser.evaluate(told) == f"1 of {count} shown"
    browser.evaluate("say('')")
    browser.evaluate("document.querySelector('input[value=medium]').click()")
    assert "Process Execution via WMI" not in browser.evaluate(seen)
    assert len(browser.evaluate(seen)) == count - 1


@needs_browser
def test_a_column_sorts(browser: Browser, day: Path) -> None:
    browser.open(day / "report.html", width=1280)
    table = "document.querySelector('#risk table.sortable')"
    browser.evaluate(f"{table}.tHead.rows[0].cells[2].querySelector('button').click()")
    assert browser.evaluate(f"{table}.tHead.rows[0].cells[2].ariaSort") == "descending"
    browser.evaluate(f"{table}.tHead.rows[0].cells[2].querySelector('button').click()")
    column = f"[...{table}.tBodies[0].rows].map(r => +r.cells[2].textContent.replace(/,/g, ''))"
    risks = browser.evaluate(column)
    assert risks == sorted(risks)
    assert len(risks) > 1


@needs_browser
def test_a_page_can_be_printed(browser: Browser, day: Path) -> None:
    browser.open(day / "report.html", width=1280)
    assert browser.print_page().startswith(b"%PDF-")
