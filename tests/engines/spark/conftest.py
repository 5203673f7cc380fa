"""A cluster, a bucket and a database, which the tests of this folder share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from tests.engines.spark.cluster import Cluster, start_cluster
from tests.schedule.conftest import database as database
from tests.schedule.conftest import postgres as postgres
from tests.storage import s3


@pytest.fixture(scope="package")
def bucket() -> Iterator[Mapping[str, str]]:
    """The environment that leads to a server of S3."""
    pytest.importorskip("moto", reason="moto is not installed")
    with s3.serve() as endpoint:
        yield s3.make_environment(endpoint)


@pytest.fixture(scope="package")
def cluster(
    tmp_path_factory: pytest.TempPathFactory, bucket: Mapping[str, str]
) -> Iterator[Cluster]:
    with start_cluster(tmp_path_factory.mktemp("cluster"), environment=bucket) as started:
        yield started
