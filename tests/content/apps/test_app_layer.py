"""A Splunk app as content: what its .conf files say, from a folder and from an archive."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from escudo import content
from escudo.content import Schedule, Throttling
from escudo.core.errors import EscudoError
from escudo.engines.execute import run_search
from escudo.lake import Lake
from tests.content.yaml_files import put
from tests.shared_engine import engine_over

SAVED = r"""
[Threat - Odd Shell - Rule]
search = | makeresults | eval user="eve" \
  | lookup staff user OUTPUT team \
  | `only_team(red)` | table user team
cron_schedule = */5 * * * *
dispatch.earliest_time = -70m@m
dispatch.latest_time = -10m@m
enableSched = 1
description = an odd shell
action.risk = 1
action.risk.param._risk = [{"risk_object_field": "user", "risk_object_type": "user", \
"risk_score": 40}, {"threat_object_field": "team", "threat_object_type": "group"}]
action.risk.param._risk_message = $user$ of $team$
action.notable = 1
action.notable.param.rule_title = Odd shell of $user$
action.notable.param.security_domain = endpoint
action.notable.param.drilldown_name = more of $user$
action.notable.param.drilldown_search = index=* user=$user$
action.correlationsearch.annotations = {"mitre_attack": ["T1059"], "analytic_story": ["A"]}
alert.suppress = 1
alert.suppress.fields = user, team
alert.suppress.period = 1d

[Plain report]
search = index=a | head 1
quantity = 5
relation = greater than
counttype = number of events
mystery = 1

[Learn]
search = index=a | stats count by user | outputlookup seen

[Off]
search = index=a
disabled = 1
"""

MACROS = """
[only_team(1)]
args = team
definition = where team="$team$"
[nothing]
definition = search *
"""
TRANSFORMS = """
[staff]
filename = staff.csv
case_sensitive_match = false
match_type = WILDCARD(user)
max_matches = 1
[seen]
collection = seen_kv
fields_list = _key, user, count
external_type = kvstore
[cut_host]
REGEX = host=(\\S+)
FORMAT = host::$1
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "my_app"
    put(folder, "default/savedsearches.conf", SAVED)
    put(folder, "default/macros.conf", MACROS)
    put(folder, "default/transforms.conf", TRANSFORMS)
    put(folder, "default/props.conf", "[a_type]\nEXTRACT-x = x=(?<x>.)\n")
    put(folder, "local/savedsearches.conf", "[Off]\ndescription = local\n")
    put(folder, "lookups/staff.csv", "user,team\nEV*,red\n")
    return folder


def pack(app: Path, name: str) -> Path:
    archive = app.parent / name
    with tarfile.open(archive, "w:gz") as out:
        out.add(app, arcname=app.name)
    return archive


def test_a_saved_search_with_risk_is_a_detection(app: Path) -> None:
    found = content.load([app], builtin=False).detection("odd shell")
    assert (found.type, found.search_name) == ("TTP", "Threat - Odd Shell - Rule")
    assert found.schedule == Schedule("*/5 * * * *", "-70m@m", "-10m@m")
    assert found.risk is not None
    assert found.risk.message == "$user$ of $team$"
    assert [(o.field, o.type, o.score) for o in found.risk.risk_objects] == [("user", "user", 40)]
    assert [(o.field, o.type) for o in found.risk.threat_objects] == [("team", "group")]
    assert found.tags.mitre_attack_id == ("T1059",)
    assert found.tags.throttling == Throttling(("user", "team"), 86400)
    assert [d.search for d in found.drilldowns] == ["index=* user=$user$"]


def test_other_saved_searches(app: Path) -> None:
    loaded = content.load([app], builtin=False)
    assert {d.name: (d.type, d.enabled) for d in loaded.detections} == {
        "Odd Shell": ("TTP", True),
        "Plain report": ("Hunting", True),
        "Off": ("Hunting", False),
    }
    assert loaded.detection("off").description == "local"
    assert [b.name for b in loaded.baselines] == ["Learn"]


def test_what_has_no_effect_is_told(app: Path) -> None:
    told = [(str(d.severity), d.message) for d in content.load([app], builtin=False).diagnostics]
    assert [s for s, m in told if "mystery" in m] == ["warning"]
    assert [s for s, m in told if "number of events greater than 5" in m] == ["warning"]
    assert [s for s, m in told if "[cut_host]" in m and "REGEX, FORMAT" in m] == ["info"]
    assert len(told) == 3


def test_what_collections_say_of_types_is_a_note(app: Path) -> None:
    put(app, "default/collections.conf", "[seen_kv]\nfield.count = number\nreplicate = true\n")
    loaded = content.load([app], builtin=False)
    told = [d for d in loaded.diagnostics if "collections.conf" in d.message]
    assert [(str(d.severity), d.message) for d in told] == [
        ("info", "[seen_kv] of collections.conf: field.count, replicate has no effect here")
    ]


@pytest.mark.parametrize("name", [None, "my_app.spl", "my_app.tgz", "my_app.tar.gz"])
def test_its_searches_run_with_its_macros_and_lookups(name: str | None, app: Path) -> None:
    path = app if name is None else pack(app, name)
    knowledge = content.load([path]).knowledge
    search = '| savedsearch "Threat - Odd Shell - Rule"'
    with Lake.create_temporary() as lake:
        found = run_search(search, engine_over(lake), lake, knowledge, now=1_795_000_000.0)
    assert found.table.to_pylist() == [{"user": "eve", "team": "red"}]


def test_a_folder_of_apps(app: Path) -> None:
    put(app.parent, "other/default/macros.conf", "[another]\ndefinition = search *\n")
    names = {m.name for m in content.load([app.parent], builtin=False).macros}
    assert names == {"only_team", "nothing", "another"}


def test_a_lookup_outside_of_the_app_is_refused(app: Path) -> None:
    put(app, "local/transforms.conf", "[stolen]\nfilename = ../../../../etc/passwd\n")
    loaded = content.load([app], builtin=False)
    assert [d.code for d in loaded.diagnostics if d.severity == "error"] == ["CON211"]
    assert "stolen" not in {k.name for k in loaded.lookups}


@pytest.mark.parametrize("member", ["../out.txt", "/abs/../../out.txt"])
def test_an_archive_writes_nothing_outside(member: str, tmp_path: Path) -> None:
    archive = tmp_path / "bad.spl"
    with tarfile.open(archive, "w:gz") as out:
        entry = tarfile.TarInfo(member)
        entry.size = 1
        out.addfile(entry, io.BytesIO(b"x"))
    with pytest.raises(EscudoError, match="CON221"):
        content.load([archive])
    assert not list(tmp_path.rglob("out.txt"))


def test_a_damaged_archive_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "bad.tgz").write_bytes(b"\x1f\x8b\x08\x00nothing")
    with pytest.raises(EscudoError, match="CON221"):
        content.load([tmp_path / "bad.tgz"])


@pytest.mark.parametrize(
    "line",
    [
        'action.risk.param._risk = [1, {"risk_object_field": "a", "risk_score": "much"}]',
        'action.risk.param._risk = {"risk_object_field": "a"}',
        "action.risk.param._risk = [{",
        'action.correlationsearch.annotations = {"mitre_attack": 7, "analytic_story": null}',
        'action.notable.param.drilldown_searches = ["x", {"name": "n"}]',
        "action.notable.param.drilldown_searches = " + "[" * 100_000,
        "action.risk.param._risk = " + "[" * 100_000,
        'action.correlationsearch.metadata = {"detection_version": "\u00b2"}',
        'action.correlationsearch.metadata = {"detection_version": "' + "9" * 5000 + '"}',
    ],
)
def test_json_of_another_shape_ends_nothing(line: str, tmp_path: Path) -> None:
    put(tmp_path, "a/default/savedsearches.conf", f"[s]\nsearch = index=a\n{line}\n")
    assert [d.name for d in content.load([tmp_path / "a"], builtin=False).detections] == ["s"]


@pytest.mark.parametrize("key", ["risk.param._risk", "notable.param.drilldown_searches"])
def test_what_is_no_json_is_told(key: str, tmp_path: Path) -> None:
    text = f"[s]\nsearch = index=a\naction.{key} = [}}\n"
    file = put(tmp_path, "a/default/savedsearches.conf", text)
    (told,) = content.load([tmp_path / "a"], builtin=False).diagnostics
    assert (told.code, str(told.span)) == ("CON220", f"{file}:3:1")


@pytest.mark.parametrize("number", ["\u00b2", "9" * 5000, "-3", "many"])
def test_a_number_that_is_none_is_the_default(number: str, tmp_path: Path) -> None:
    text = f"[t]\nfilename = t.csv\nmax_matches = {number}\n"
    put(tmp_path, "a/default/transforms.conf", text)
    put(tmp_path, "a/lookups/t.csv", "a\n")
    (lookup,) = content.load([tmp_path / "a"], builtin=False).lookups
    assert lookup.max_matches == 1000


def test_loader_and_run_agree_about_a_lookup_without_its_file(app: Path) -> None:
    (app / "lookups/staff.csv").unlink()
    loaded = content.load([app])
    (told,) = [d for d in loaded.diagnostics if d.code == "CON202"]
    assert told.message == "lookup [staff]: the app has no file staff.csv"
    assert told.hint is not None
    assert "fail (SPL314)" in told.hint
    search = "| makeresults | eval user=1 | lookup staff user"
    with Lake.create_temporary() as lake, pytest.raises(EscudoError, match="SPL314"):
        run_search(search, engine_over(lake), lake, loaded.knowledge, now=1_795_000_000.0)
