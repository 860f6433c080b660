"""Disks that refuse, and workers that are killed: a clear message, no half shard, and the next build goes on."""

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pipeline.runtime.errors import PipelineError
from pipeline.shards.build import build_shards
from pipeline.shards.plan import Item, row_key
from pipeline.shards.table import Row
from tests.as_nobody import not_as_root
from tests.cluster import finished
from tests.shards.rows import FIELDS, IDS, build, compute, slowly, tree
from tests.small_disk import run_on_small_disk


def refused(how: str, folder: Path) -> dict[str, Any]:
    """Run ``tests.shards.refused``, with a small disk behind the folder where that is what refuses."""
    folder.mkdir()
    command = [sys.executable, "-m", "tests.shards.refused", how, str(folder)]
    if how == "limit":
        done = subprocess.run(command, capture_output=True, text=True)
    else:
        done = run_on_small_disk(folder, *command)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


REASONS = {"full": "No space left on device", "readonly": "Read-only file system", "limit": "File too large"}


@pytest.mark.slow
@pytest.mark.parametrize("how", REASONS)
def test_an_unwritable_disk(tmp_path: Path, how: str) -> None:
    told = refused(how, tmp_path / "out")
    assert told["message"].startswith(f"{tmp_path / 'out'} cannot be written: ")
    assert REASONS[how] in told["message"]
    assert "Free space or fix the folder's permissions, then run again: finished shards are kept." in told["message"]
    assert all(name.startswith("shard-") for name in told["left"])  # nothing half, and no index of what is not there
    assert told["left"] or how != "full"
    assert told["computed"] < len(IDS) or not told["left"]
    assert told["same"]


def test_a_folder_without_rights(public: Path) -> None:
    build(public / "first", IDS)  # imports what there is to import
    (public / "out").mkdir(mode=0o555)
    refusal = r"cannot be written: .*Permission denied.* fix the folder's permissions"
    with not_as_root(), pytest.raises(PipelineError, match=refusal):
        build(public / "out", IDS)
    assert not list((public / "out").iterdir())


def _killed_once(clip: str, log: Path) -> Row:
    """Killed in the middle of the work, as by a machine that has run out of memory; not so the second time."""
    row = compute(clip, log)
    if clip == IDS[6] and not (log / "killed").exists():
        (log / "killed").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return row


@pytest.mark.slow
def test_a_killed_worker(tmp_path: Path) -> None:
    log, out = tmp_path / "log", tmp_path / "out"
    log.mkdir()
    items = [Item(clip, row_key(0, clip), clip) for clip in IDS]
    work = partial(_killed_once, log=log)
    with pytest.raises(
        PipelineError, match=r"killed, most likely because memory ran out.* fewer workers \(ATVGNET_JOBS, now 2\)"
    ):
        build_shards(out, items, work, FIELDS, per_shard=1, jobs=2, title="test")
    left = tree(out)
    assert all(name.startswith("shard-") for name in left)
    build_shards(out, items, work, FIELDS, per_shard=1, jobs=2, title="test")
    assert left.items() <= tree(out).items()
    build(tmp_path / "fresh", IDS, per_shard=1)
    assert tree(out) == {name: data for name, data in tree(tmp_path / "fresh").items() if name.startswith("shard-")}


ORPHANS = """
import sys, time
from functools import partial
from pathlib import Path
from pipeline.shards.build import build_shards
from pipeline.shards.plan import Item, row_key
from tests.shards.rows import FIELDS, IDS, slowly

items = [Item(clip, row_key(0, clip), clip) for clip in IDS]
work = partial(slowly, log=Path(sys.argv[2]))
build_shards(Path(sys.argv[1]), items, work, FIELDS, per_shard=1, jobs=2, title="orphaned")
"""


@pytest.mark.slow
def test_orphaned_workers_do_no_harm(tmp_path: Path) -> None:
    """They go on for a while, beside the build that takes over."""
    out, log = tmp_path / "out", tmp_path / "log"
    log.mkdir()
    master = subprocess.Popen([sys.executable, "-c", ORPHANS, str(out), str(log)], start_new_session=True)
    while not finished(out):
        time.sleep(0.05)
    master.kill()
    master.wait()
    items = [Item(clip, row_key(0, clip), clip) for clip in IDS]
    build_shards(out, items, partial(slowly, log=log), FIELDS, per_shard=1, jobs=1, title="test")
    os.killpg(master.pid, signal.SIGKILL)  # idle by now, they would end in minutes
    build(tmp_path / "fresh", IDS, per_shard=1)
    expected = {name: data for name, data in tree(tmp_path / "fresh").items() if name.startswith("shard-")}
    assert {name: data for name, data in tree(out).items() if not name.endswith(".tmp")} == expected
    build(out, IDS, per_shard=1)
    assert tree(out) == tree(tmp_path / "fresh")
