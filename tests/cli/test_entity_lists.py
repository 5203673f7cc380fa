"""A user's assets and identities beside the own sources, by the console script: rows of the data
models have what the lists say of hosts and people."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run, json_lines
from tests.lake.logs import sysmon

ASSETS = (
    "ip,mac,nt_host,dns,owner,priority,lat,long,city,country,bunit,category,pci_domain,"
    "is_expected,should_timesync,should_update,requires_av\n"
    "192.0.2.1,,www,www.example.com,ida,critical,,,Oslo,Norway,shop,web|pci,trust,true,true,,\n"
    "198.51.100.0/24,,,,,low,,,,,partners,partner,,,,,\n"
)
IDENTITIES = (
    "identity,prefix,nick,first,last,suffix,email,phone,managedBy,priority,bunit,category,"
    "watchlist,startDate,endDate\n"
    "ida|ida.adm,,,Ida,A,,ida.a@corp.example,,,high,it,privileged|admin,true,1/1/2020,\n"
)
LOG = (
    'site="www.example.com" server="www.example.com" dest_port="443" dest_ip="192.0.2.1"'
    ' src="198.51.100.9" src_ip="198.51.100.9" user="IDA" time_local="22/Feb/2024:13:00:00 -0500"'
    ' status="200" bytes_out="10" bytes_in="5" http_user_agent="curl/8.0" nginx_version="1.18.0"'
    ' uri_query="-" uri_path="/a" http_method="GET"\n'
)


@pytest.mark.slow
def test_rows_have_what_the_lists_say(escudo: Run, tmp_path: Path) -> None:
    lists, log, lake = tmp_path / "own", tmp_path / "access.log", tmp_path / "lake"
    lists.mkdir()
    (lists / "assets.csv").write_text(ASSETS, "utf-8")
    (lists / "identities.csv").write_text(IDENTITIES, "utf-8")
    log.write_text(LOG, "utf-8")
    done = escudo("ingest", log, "--lake", lake, "--sources", lists, "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    search = (
        "| tstats count from datamodel=Web where Web.dest_category=pci Web.user_priority=high"
        " by Web.dest Web.dest_bunit Web.dest_priority Web.src_bunit Web.src_category"
        " Web.user_category Web.user_bunit"
    )
    rows = json_lines(escudo("search", search, "--lake", lake, "--format", "jsonl").stdout)
    assert {(row["Web.user_category"], row["Web.user_bunit"]) for row in rows} == {
        ("privileged", "it"),
        ("admin", "it"),
    }
    for row in rows:
        assert (row["Web.dest_bunit"], row["Web.dest_priority"]) == ("shop", "critical")
        assert (row["Web.src_bunit"], row["Web.src_category"]) == ("partners", "partner")
    found = "| from datamodel:Web.Web | table dest_category user_category src_priority"
    (row,) = json_lines(escudo("search", found, "--lake", lake, "--format", "jsonl").stdout)
    assert row == {
        "dest_category": ["web", "pci"],
        "user_category": ["privileged", "admin"],
        "src_priority": "low",
    }


@pytest.mark.slow
def test_without_lists_and_with_a_wrong_one(escudo: Run, tmp_path: Path) -> None:
    log, lists = tmp_path / "sysmon.xml", tmp_path / "own"
    log.write_text(sysmon(2), "utf-8")
    lists.mkdir()
    wrong = escudo("ingest", log, "--lake", tmp_path / "lake", "--sources", lists)
    assert (wrong.returncode, "SRC052" in wrong.stderr) == (1, True)
    (lists / "assets.csv").write_text("address\n192.0.2.1\n", "utf-8")
    wrong = escudo("ingest", log, "--lake", tmp_path / "lake", "--sources", lists)
    assert (wrong.returncode, "CIM020" in wrong.stderr) == (1, True)
    assert "assets.csv:1:1" in wrong.stderr
