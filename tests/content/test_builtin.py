"""Escudo's own content: what the published page of the WMI detection says, and nothing broken."""

from __future__ import annotations

from datetime import date

from escudo import content
from escudo.actions.validate import shipped_attack_ids
from escudo.content import RiskObject, Schedule
from escudo.content.checks import build_known, check_elements
from escudo.content.element_files import ElementFile
from escudo.content.loading import BUILTIN_FOLDER

SEARCH = (
    "| tstats `security_content_summariesonly` count min(_time) as firstTime max(_time) as lastTime"
    " from datamodel=Endpoint.Processes where Processes.parent_process_name=WmiPrvSE.exe"
    ' NOT (Processes.process IN ("*\\\\dismhost.exe*")) by Processes.dest Processes.user'
    " Processes.parent_process Processes.process_name Processes.process Processes.process_id"
    " Processes.parent_process_id"
    " | `drop_dm_object_name(Processes)`"
    " | `security_content_ctime(firstTime)`"
    " | `security_content_ctime(lastTime)`"
    " | `process_execution_via_wmi_filter`"
)

RISK_DRILLDOWN = (
    '| from datamodel Risk.All_Risk | search normalized_risk_object IN ("$dest$", "$user$")'
    " starthoursago=168 | stats count min(_time) as firstTime max(_time) as lastTime"
    ' values(search_name) as "Search Name" values(risk_message) as "Risk Message"'
    ' values(analyticstories) as "Analytic Stories" values(annotations._all) as "Annotations"'
    ' values(annotations.mitre_attack.mitre_tactic) as "ATT&CK Tactics" by normalized_risk_object'
    " | `security_content_ctime(firstTime)` | `security_content_ctime(lastTime)`"
)


def test_nothing_is_wrong_with_it() -> None:
    loaded = content.load()
    assert loaded.diagnostics == ()
    assert set(loaded.deployments) == {"TTP", "Anomaly", "Hunting", "Correlation", "Baseline"}


def test_a_repository_would_accept_it_but_for_upstreams_data_sources() -> None:
    """They are not here: content that names one, and has no file for it, is told so."""
    files: list[ElementFile] = []
    loaded = content.load([BUILTIN_FOLDER], keep=files.append)
    known = build_known(files, loaded, today=date(2026, 11, 30), attack=shipped_attack_ids())
    assert sorted(d.message for d in check_elements(known)) == [
        "there is no data source 'CrowdStrike ProcessRollup2'",
        "there is no data source 'Sysmon EventID 1'",
        "there is no data source 'Windows Event Log Security 4688'",
    ]


def test_the_wmi_detection_is_as_published() -> None:
    found = content.load().detection("24869767-8579-485d-9a4f-d9ddfd8f0cac")
    assert found.name == "Process Execution via WMI"
    assert (found.version, found.date) == (7, date(2024, 9, 30))
    assert found.author == "Rico Valdez, Michael Haag, Splunk"
    assert (found.status, found.type) == ("production", "TTP")
    assert found.data_source == (
        "Sysmon EventID 1",
        "Windows Event Log Security 4688",
        "CrowdStrike ProcessRollup2",
    )
    assert found.search == SEARCH
    assert found.references == ()
    assert [(d.name, d.search) for d in found.drilldowns] == [
        (
            'View the detection results for - "$dest$" and "$user$"',
            '%original_detection_search% | search dest = "$dest$" user = "$user$"',
        ),
        ('View risk events for the last 7 days for - "$dest$" and "$user$"', RISK_DRILLDOWN),
    ]
    assert {(d.earliest_offset, d.latest_offset) for d in found.drilldowns} == {
        ("$info_min_time$", "$info_max_time$")
    }
    tags = found.tags
    assert tags.analytic_story == ("Suspicious WMI Use",)
    assert tags.asset_type == "Endpoint"
    assert (tags.confidence, tags.impact, tags.risk_score) == (70, 70, 49)
    assert tags.message == (
        "A remote instance execution of wmic.exe by WmiPrvSE.exe detected on host - $dest$"
    )
    assert tags.mitre_attack_id == ("T1047",)
    assert tags.product == ("Splunk Enterprise", "Splunk Enterprise Security", "Splunk Cloud")
    assert tags.required_fields == (
        "_time",
        "Processes.process",
        "Processes.parent_process_name",
        "Processes.user",
        "Processes.dest",
        "Processes.process_name",
    )
    assert tags.security_domain == "endpoint"
    assert found.risk is not None
    assert found.risk.risk_objects == (
        RiskObject("dest", "system", 49),
        RiskObject("user", "user", 49),
    )
    assert found.risk.threat_objects == ()
    assert found.filter_macro == "process_execution_via_wmi_filter"


def test_its_story_is_there() -> None:
    story = content.load().story("Suspicious WMI Use")
    assert story is not None
    assert story.id == "c8ddc5be-69bc-4202-b3ab-4010b27d7ad5"


def test_schedules_by_type() -> None:
    deployments = content.load().deployments
    hourly = Schedule("0 * * * *", "-70m@m", "-10m@m", "auto")
    assert {kind: d.schedule for kind, d in deployments.items()} == {
        "TTP": hourly,
        "Anomaly": hourly,
        "Hunting": hourly,
        "Correlation": hourly,
        "Baseline": Schedule("10 0 * * *", "-1450m@m", "-10m@m", "auto"),
    }
    assert {kind for kind, d in deployments.items() if d.risk} == {"TTP", "Anomaly"}
    assert {kind for kind, d in deployments.items() if d.notable} == {"TTP", "Correlation"}
