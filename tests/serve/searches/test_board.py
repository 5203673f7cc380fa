"""Searches as jobs: what they give, what they may see and change, and how they end."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest

from escudo.core.errors import EscudoError
from escudo.serve.accounts.principal import Principal, SearchLimits
from escudo.serve.searches.board import Belongings, Searches
from escudo.serve.searches.job import Job, JobState, SearchRequest
from escudo.serve.searches.pool import Worker
from escudo.serve.searches.results import cut_page
from tests.serve.events import EVENTS, SECRET

pytestmark = pytest.mark.slow

ADMIN = Principal("root", ("admin",))
VIEWER = Principal("vera", ("viewer",))
NARROW = Principal("nina", ("admin",), indexes=("sysmon*", "h?", "indows"))
"""Sees no index that there is an event of, whatever else she may."""

ENDLESS = (
    "| makeresults count=50000 | eval k=1 | join max=0 k [| makeresults count=50000 | eval k=1]"
    " | eval a=random() | stats max(a)"
)
"""Two and a half thousand million rows."""


def run(searches: Searches, search: str, who: Principal = ADMIN, **asked: object) -> Job:
    job = searches.start(SearchRequest(search=search, **asked), who)  # type: ignore[arg-type]
    assert job.wait(60), job.state
    return job


def read(job: Job) -> list[dict[str, object]]:
    assert job.state is JobState.DONE, job.messages
    return cut_page(job.parts, 0, 100_000).to_pylist()


def test_all_events_come_newest_first(searches: Searches) -> None:
    job = run(searches, "index=*")
    rows = read(job)
    assert job.by_event
    assert job.events == len(rows) == EVENTS + 3
    times = [row["_time"] for row in rows]
    assert times == sorted(times, reverse=True)
    assert job.progress == 1.0


def test_the_first_page_has_all_fields_in_the_end(searches: Searches) -> None:
    job = run(searches, "index=* EventID=1 | head 3")
    rows = read(job)
    assert len(rows) == 3
    assert not job.cut
    assert all(row["Image"] and row["CommandLine"] for row in rows)
    assert rows == read(run(searches, "index=* EventID=1"))[:3]


def test_head_before_other_commands_is_head_of_the_events(searches: Searches) -> None:
    first = read(run(searches, 'index=* EventID=1 | head 5 | eval x=Image . "!" | table x'))
    rest = read(run(searches, "index=* EventID=1 | table Image"))
    assert [row["x"] for row in first] == [f"{row['Image']}!" for row in rest[:5]]
    assert read(run(searches, "index=* | head 7 | stats count")) == [{"count": 7}]
    assert read(run(searches, "index=* | head 0")) == []


def test_times_of_the_search_go_before_those_of_the_request(searches: Searches) -> None:
    all_times = [row["_time"] for row in read(run(searches, "index=* | table _time"))]
    middle = sorted(all_times)[EVENTS // 2]  # type: ignore[type-var]
    newer = sum(at >= middle for at in all_times)  # type: ignore[operator]
    assert len(read(run(searches, "index=*", earliest=str(middle)))) == newer
    inside = f"index=* earliest={middle} | table _time"
    assert len(read(run(searches, inside, earliest="1", latest="2"))) == newer
    assert read(run(searches, "index=*", latest="1")) == []


def test_rows_are_cut_at_the_limit(searches: Searches) -> None:
    few = Principal("fred", ("viewer",), limits=SearchLimits(rows=10))
    job = run(searches, "index=*", few)
    assert job.rows == 10
    assert job.cut
    job = run(searches, "| makeresults count=11", few)
    assert job.rows == 10
    assert job.cut
    job = run(searches, "| makeresults count=10", few)
    assert job.rows == 10
    assert not job.cut
    assert run(searches, "index=*", limit=5).rows == 5


def test_events_are_counted_over_the_time(searches: Searches) -> None:
    job = run(searches, "index=* | stats count by host")
    counting = searches.count_events(job)
    assert counting.wait(60)
    assert counting.state is JobState.DONE
    assert sum(count for _, count in counting.histogram) == EVENTS + 3
    assert counting.span
    assert all(time % counting.span == 0 for time, _ in counting.histogram)
    assert searches.count_events(job) is counting
    assert searches.count_events(run(searches, "| makeresults")).wait(60)


@pytest.mark.parametrize(
    "search",
    [
        "index=hr",
        "index=*",
        "index=* OR index=_*",
        f'"{SECRET}"',
        "index=hr OR NOT index=hr",
        "index=none | append [search index=hr]",
        "| union [search index=hr] [search index=risk]",
        "| multisearch [search index=hr] [search index=risk]",
        '| makeresults | map search="search index=hr"',
        "index=hr [search index=hr | fields pin]",
        "| makeresults | eval a=[search index=hr | stats count | return $count] | where a>0",
        "| tstats count where index=hr by index | where count>0",
        "| tstats count from datamodel=Risk.All_Risk | where count>0",
        "| from datamodel:Risk.All_Risk",
        "| datamodel Risk All_Risk search",
        "| metadata type=hosts index=hr",
        "| eventcount index=* summarize=false | where count>0",
        "| metasearch index=hr",
        "`notable`",
        "| loadjob others",
        "| makeresults | join type=inner host [search index=hr | eval host=host]",
        "| makeresults | appendcols [search index=hr | fields pin] | where isnotnull(pin)",
    ],
)
def test_no_search_sees_another_roles_index(searches: Searches, search: str) -> None:
    hidden = run(searches, search, NARROW)
    rows = cut_page(hidden.parts, 0, 100).to_pylist()
    assert rows == []
    assert hidden.state in (JobState.DONE, JobState.FAILED)
    counting = searches.count_events(hidden)
    assert counting.wait(60)
    assert counting.histogram == ()


def test_those_searches_do_find_something_for_who_may_see_it(searches: Searches) -> None:
    for search in ("index=hr", f'"{SECRET}"', "| metadata type=hosts index=hr"):
        assert read(run(searches, search)), search
    only = Principal("hans", ("viewer",), indexes=("h*",))
    assert {row["index"] for row in read(run(searches, "index=*", only))} == {"hr"}


def test_files_are_out_of_reach(searches: Searches, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n")
    for search in (
        f"| inputlookup {tmp_path}/secret.csv",
        "| inputlookup ../../../../etc/passwd",
        f"| makeresults | lookup {tmp_path}/secret.csv a",
        "| savedsearch /etc/passwd",
        "| loadjob ../../etc/passwd",
    ):
        job = run(searches, search)
        assert cut_page(job.parts, 0, 10).num_rows == 0, search


def test_a_search_writes_where_the_role_may_write(searches: Searches) -> None:
    for search in (
        "| makeresults | eval a=1 | outputlookup mine.csv",
        "| makeresults | collect index=summary",
        "index=none | append [| makeresults | outputlookup mine.csv]",
    ):
        job = run(searches, search, VIEWER)
        assert job.state is JobState.FAILED
        assert job.messages[-1].code == "LAK026", search
    engineer = Principal("eva", ("engineer",))
    job = run(searches, "| makeresults | eval a=1 | table a | outputlookup mine.csv", engineer)
    assert job.state is JobState.DONE
    assert job.changes == ("1 rows went to lookup mine.csv",)
    assert read(run(searches, "| inputlookup mine.csv", VIEWER)) == [{"a": "1"}]
    job = run(searches, "index=hr | delete", engineer)
    assert job.state is JobState.FAILED
    assert job.messages[-1].code == "LAK026"
    assert len(read(run(searches, "index=hr"))) == 2


def test_jobs_are_their_owners(searches: Searches) -> None:
    job = run(searches, "| makeresults | eval a=7", VIEWER, sid="veras_job")
    with pytest.raises(EscudoError, match="SRV030"):
        searches.find("veras_job", Principal("otto", ("engineer",)))
    assert searches.find("veras_job", ADMIN) is job
    assert run(searches, "| loadjob veras_job", Principal("otto", ("engineer",))).state is (
        JobState.FAILED
    )
    assert read(run(searches, "| loadjob veras_job | table a", VIEWER)) == [{"a": 7}]
    with pytest.raises(EscudoError, match="SRV032"):
        run(searches, "| makeresults", VIEWER, sid="veras_job")
    for name in ("../x", ".x", "a/b", "a" * 200):
        with pytest.raises(EscudoError, match="SRV032"):
            run(searches, "| makeresults", VIEWER, sid=name)


def test_cancel_kills_what_runs(searches: Searches) -> None:
    job = searches.start(SearchRequest(search=ENDLESS), ADMIN)
    while job.state is JobState.QUEUED:
        time.sleep(0.05)
    time.sleep(0.3)
    worker = next(w for w in _workers(searches) if w.sid == job.sid)
    begun = time.monotonic()
    searches.cancel(job)
    assert time.monotonic() - begun < 5
    assert job.state is JobState.CANCELLED
    with pytest.raises(ProcessLookupError):
        os.kill(worker.process.pid, 0)
    assert read(run(searches, "| makeresults | eval a=1 | table a")) == [{"a": 1}]


def _workers(searches: Searches) -> list[Worker]:
    return [*searches.pool.workers] if searches.pool is not None else []


def test_a_search_that_takes_too_long_is_ended(searches: Searches) -> None:
    quick = Principal("quentin", ("viewer",), limits=SearchLimits(seconds=0.5))
    job = run(searches, ENDLESS, quick)
    assert job.state is JobState.FAILED
    assert job.messages[-1].code == "SRV035"


def test_a_search_that_takes_too_much_memory_fails_alone(searches: Searches) -> None:
    small = Principal("sam", ("viewer",), limits=SearchLimits(memory="64MB"))
    job = run(searches, "| makeresults count=3000000 | eval a=random() | stats values(a)", small)
    assert job.state is JobState.FAILED
    assert job.messages[-1].code in ("ENG005", "SRV036")
    assert read(run(searches, "| makeresults | eval a=1 | table a")) == [{"a": 1}]


def test_a_user_has_so_many_at_once_and_others_wait(searches: Searches) -> None:
    one = Principal("olga", ("viewer",), limits=SearchLimits(at_once=1))
    first = searches.start(SearchRequest(search=ENDLESS), one)
    second = searches.start(SearchRequest(search="| makeresults"), one)
    assert read(run(searches, "| makeresults | eval a=1 | table a", VIEWER)) == [{"a": 1}]
    assert second.state is JobState.QUEUED
    waiting = [searches.start(SearchRequest(search="| makeresults"), one) for _ in range(19)]
    with pytest.raises(EscudoError, match="SRV031"):
        searches.start(SearchRequest(search="| makeresults"), one)
    for job in waiting:
        searches.remove(job)
    searches.finalize(first)
    assert first.state is JobState.DONE
    assert first.finalized
    assert second.wait(60)
    assert second.state is JobState.DONE


def test_what_nobody_asks_for_is_forgotten(searches: Searches) -> None:
    job = run(searches, "| makeresults", ttl=0.5)
    assert job.folder.is_dir()
    deadline = time.monotonic() + 20
    while job.folder.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not job.folder.exists()
    with pytest.raises(EscudoError, match="SRV030"):
        searches.find(job.sid, ADMIN)


def test_what_is_wrong_is_told_with_its_place(searches: Searches) -> None:
    job = run(searches, "index=* | head 5 | evall a=1")
    assert job.state is JobState.FAILED
    (told,) = job.messages
    assert told.code == "SPL101"
    assert told.span is not None
    assert told.span.column == 20
    with pytest.raises(EscudoError, match="SPL120"):
        run(searches, "index=*", earliest="yesterdayish")
    with pytest.raises(EscudoError, match="SRV033"):
        run(searches, "  ")


def test_the_events_of_a_job_that_is_held_are_counted(searches: Searches) -> None:
    job = searches.start(SearchRequest(search="index=*", held=True), ADMIN)
    job.wait_run()
    assert job.state is JobState.RUNNING
    counting = searches.count_events(job)
    assert counting.wait(60)
    assert sum(count for _, count in counting.histogram) == EVENTS + 3
    searches.release(job)
    assert job.state is JobState.DONE


def test_a_search_that_is_paused_before_its_turn_is_not_begun(searches: Searches) -> None:
    one = Principal("paul", ("viewer",), limits=SearchLimits(at_once=1))
    first = searches.start(SearchRequest(search=ENDLESS), one)
    second = searches.start(SearchRequest(search="| makeresults"), one)
    third = searches.start(SearchRequest(search="| makeresults"), one)
    searches.pause(second, paused=True)
    searches.cancel(first)
    assert third.wait(60)
    assert second.state is JobState.QUEUED
    assert second.paused
    searches.pause(second, paused=False)
    assert second.wait(60)
    assert second.state is JobState.DONE


def test_what_fails_before_a_search_fails_that_search_alone(
    searches: Searches, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_who: Principal, _folder: Path) -> Belongings:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(searches, "_find_belongings", fail)
        job = run(searches, "| makeresults")
    assert job.state is JobState.FAILED
    assert [told.code for told in job.messages] == ["SYS001"]
    assert read(run(searches, "| makeresults | eval a=1 | table a")) == [{"a": 1}]
