"""Real clients of PyPI: what they send is in the lake, each event once."""

from __future__ import annotations

import logging
import time
from urllib.parse import urlsplit

import pytest

from tests.serve.running import RunningServer
from tests.serve.sending import add_token, read_events

pytestmark = pytest.mark.slow


def test_splunk_handler(server: RunningServer) -> None:
    """``splunk-handler``: Python's logging to HEC, in batches, by a thread of its own."""
    splunk_handler = pytest.importorskip("splunk_handler", reason="splunk-handler is missing")
    at = urlsplit(server.url)
    handler = splunk_handler.SplunkHandler(
        host=at.hostname,
        port=at.port,
        token=add_token(server.lake, "handler"),
        index="handler",
        protocol="http",
        hostname="app1",
        source="app",
        sourcetype="app:log",
        flush_interval=0.5,
        record_format=False,
    )
    logger = logging.Logger("of splunk-handler")
    logger.addHandler(handler)
    for number in range(100):
        logger.warning("message %d", number)
    handler.force_flush()
    handler.shutdown()
    end = time.monotonic() + 20
    while len(read_events(server.lake, index="handler")) < 100 and time.monotonic() < end:
        time.sleep(0.2)
    rows = read_events(server.lake, index="handler")
    assert sorted(row["_raw"] for row in rows) == sorted(f"message {n}" for n in range(100))
    assert {(r["host"], r["source"], r["sourcetype"]) for r in rows} == {("app1", "app", "app:log")}


def test_elasticsearch_client(server: RunningServer) -> None:
    """``elasticsearch-py`` looks whether the server is Elasticsearch, and sends in bulk."""
    elasticsearch = pytest.importorskip("elasticsearch", reason="elasticsearch is missing")
    helpers = pytest.importorskip("elasticsearch.helpers")
    token = add_token(server.lake, "elastic-client")
    client = elasticsearch.Elasticsearch(f"{server.url}/elastic", api_key=("client", token))
    documents = (
        {"_op_type": "create", "_index": "logs-py", "@timestamp": "2024-03-05T10:00:00Z", "n": n}
        for n in range(1000)
    )
    done, errors = helpers.bulk(client, documents, chunk_size=400, stats_only=False)
    assert (done, errors) == (1000, [])
    rows = read_events(server.lake, elastic_index="logs-py")
    assert sorted(int(row["n"]) for row in rows) == list(range(1000))
