"""An added, changed or removed clip costs about one clip, and the bytes equal those of a new run."""

import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.prepare.preprocess import outs, preprocess

pytestmark = pytest.mark.slow

BAR = 0.15
"""The largest cost of 3% more clips, as a share of the cost of all."""


def test_a_changed_clip_costs_one_clip(corpora: Path, tmp_path: Path) -> None:
    source, root, out = corpora / "lrw_like", tmp_path / "lrw", tmp_path / "out"
    clips = [path.relative_to(source) for path in sorted(source.rglob("*.mp4"))]
    assert len(clips) == 33  # so one clip is 3%
    train, val, test = ([clip for clip in clips if clip.parent.name == split] for split in ("train", "val", "test"))
    added, changed, removed = train[20], train[5], train[10]

    def link(some: Iterable[Path]) -> None:
        for clip in some:
            (root / clip).parent.mkdir(parents=True, exist_ok=True)
            (root / clip).symlink_to(source / clip)

    def spent(out: Path) -> float:
        start = time.process_time()
        preprocess("lrw", root, out, jobs=1, shard_clips=4)
        return time.process_time() - start

    first = {train[0], val[0], test[0]}
    link(first)
    spent(tmp_path / "warm")  # excludes imports and models, which a process loads once
    link(set(clips) - first - {added})
    whole = spent(out)
    link([added])
    costs = [spent(out)]
    (root / changed).unlink()
    (root / changed).symlink_to(source / removed)
    costs.append(spent(out))
    (root / removed).unlink()
    costs.append(spent(out))
    assert max(costs) < BAR * whole
    spent(tmp_path / "fresh")
    assert outs(out) == outs(tmp_path / "fresh")
