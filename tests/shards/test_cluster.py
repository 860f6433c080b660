"""Shards made on a real cluster have the same bytes, also after a worker was killed."""

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from distributed import LocalCluster

from pipeline.runtime.workers import ADDRESS
from pipeline.shards.build import build_shards
from pipeline.shards.plan import Item, row_key
from pipeline.shards.table import Row
from tests.cluster import cluster, finished, kill_when, pids
from tests.prepare.preprocess import link_grid, outs, preprocess
from tests.shards.rows import FIELDS, compute, tree

pytestmark = pytest.mark.slow

IDS = [f"clip{number:03d}" for number in range(60)]


@pytest.fixture(scope="module")
def two_workers() -> Iterator[LocalCluster]:
    with cluster() as started:
        yield started


def slowly(clip: str, log: Path) -> Row:
    time.sleep(0.05)
    return compute(clip, log)


def test_a_worker_is_killed_in_the_middle(tmp_path: Path, two_workers: LocalCluster) -> None:
    """The other worker and a restarted one continue; no shard is lost or incomplete."""
    out, log = tmp_path / "out", tmp_path / "log"
    log.mkdir()
    items = [Item(clip, row_key(clip), clip) for clip in IDS]
    killed = kill_when(lambda: len(finished(out)) >= 3, pids(two_workers)[0])
    build_shards(out, items, partial(slowly, log=log), FIELDS, per_shard=3, jobs=1, title="test")
    killed.join(0)
    assert not killed.is_alive()
    build_shards(tmp_path / "here", items, partial(compute, log=log), FIELDS, per_shard=3, jobs=1, title="test")
    assert tree(out) == tree(tmp_path / "here")


def test_the_stages_make_the_same_bytes(corpora: Path, tmp_path: Path, two_workers: LocalCluster) -> None:
    link_grid(corpora, tmp_path / "grid", 4)
    preprocess("grid", tmp_path / "grid", tmp_path / "there", jobs=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(ADDRESS)
        preprocess("grid", tmp_path / "grid", tmp_path / "here", jobs=1)
    assert outs(tmp_path / "there") == outs(tmp_path / "here")
