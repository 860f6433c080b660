from functools import partial
from pathlib import Path
from typing import ClassVar
from weakref import WeakSet

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.runtime.errors import PipelineError
from pipeline.shards.build import build_shards
from pipeline.shards.plan import UNFINISHED, Item, row_key
from pipeline.shards.read import ShardReader, read_row
from pipeline.shards.table import Row
from tests.shards.rows import FIELDS, IDS, build, compute, tree


def test_round_trip(tmp_path: Path) -> None:
    build(tmp_path / "out", IDS)
    reader = ShardReader(tmp_path / "out")
    assert list(reader) == IDS
    (tmp_path / "x").mkdir()
    for clip in IDS:
        expected = compute(clip, tmp_path / "x")
        got = {column: reader.read(clip, column) for column in ("points", "jpeg", "score")}
        np.testing.assert_array_equal(got["points"], expected["points"].astype(np.float32))
        assert got["points"].shape[1:] == (68, 2)
        assert got["jpeg"] == expected["jpeg"]
        assert got["score"] == expected["score"]


def test_readable_without_this_code(tmp_path: Path) -> None:
    build(tmp_path / "out", IDS)
    shard = sorted((tmp_path / "out").glob("shard-*"))[0]
    table = pq.read_table(shard)
    points = np.frombuffer(table["points"][0].as_py(), "<f4").reshape(-1, 68, 2)
    (tmp_path / "x").mkdir()
    expected = compute(table["id"][0].as_py(), tmp_path / "x")["points"]
    np.testing.assert_array_equal(points, expected.astype(np.float32))
    assert pq.ParquetFile(shard).num_row_groups == len(table)  # a clip is read without its neighbours


def test_bytes_do_not_depend_on_workers_or_history(tmp_path: Path) -> None:
    build(tmp_path / "one", IDS)
    build(tmp_path / "two", IDS, jobs=2)
    build(tmp_path / "grown", IDS[3:7])
    build(tmp_path / "grown", IDS)
    assert tree(tmp_path / "one") == tree(tmp_path / "two") == tree(tmp_path / "grown")


def test_only_missing_rows_are_computed(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert len(build(out, IDS)) == 10
    assert build(out, IDS) == set()
    assert build(out, [*IDS, "s9/new"]) == {"s9_new"}
    assert build(out, IDS[:5]) == set()
    named = {row["shard"] for row in ShardReader(out).rows()}
    assert {path.name for path in out.glob("shard-*")} == named  # shards no longer wanted are gone


@pytest.mark.slow
@settings(max_examples=15)
@given(st.data())
def test_any_order_of_growth_gives_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("grow")
    steps = data.draw(st.lists(st.sets(st.sampled_from(IDS), min_size=1), min_size=1, max_size=3))
    for step in steps:
        build(folder / "a", sorted(step), per_shard=3)
    build(folder / "b", sorted(steps[-1]), per_shard=3)
    assert tree(folder / "a") == tree(folder / "b")


def test_damaged_and_left_over_files_are_replaced(tmp_path: Path) -> None:
    out = tmp_path / "out"
    build(out, IDS)
    whole = tree(out)
    first = sorted(out.glob("shard-*"))[0]
    first.write_bytes(first.read_bytes()[:100])
    (out / ".0123456789abcdef.tmp").write_bytes(b"half")
    build(out, IDS)
    assert tree(out) == whole


def test_changed_keys_are_computed_again(tmp_path: Path) -> None:
    out = tmp_path / "out"
    build(out, IDS)
    assert len(build(out, IDS, version=1)) == 10


def test_a_failing_clip_leaves_no_partial_shard(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        build_shards(tmp_path / "out", [Item("a", "k")], _broken, FIELDS, per_shard=1, jobs=1, title="test")
    assert list((tmp_path / "out").iterdir()) == []


def _broken(clip: str) -> Row:
    raise ZeroDivisionError


def test_errors_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"index\.parquet is missing\. Run `dvc repro`"):
        ShardReader(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(PipelineError, match="cannot be written"):
        build_shards(tmp_path / "file" / "out", [], _broken, FIELDS, per_shard=1, jobs=1, title="test")


def _hanging(clip: str, log: Path) -> Row:
    """Every third row is preliminary."""
    row = compute(clip, log)
    return {**row, "score": -1.0, "key": UNFINISHED} if int(clip[-1]) % 3 == 0 else row


def test_preliminary_rows_are_computed_again(tmp_path: Path) -> None:
    log, out = tmp_path / "log", tmp_path / "out"
    log.mkdir()
    items = [Item(clip, row_key(0, clip), clip) for clip in IDS]
    given_up = ["s0/clip0", "s0/clip3", "s0/clip6", "s0/clip9"]
    for jobs, computed in ((1, 10), (2, 4), (1, 4)):
        work = partial(_hanging, log=log)
        cells = build_shards(out, items, work, FIELDS, per_shard=4, jobs=jobs, title="test")
        assert [clip for clip in IDS if cells[clip]["score"] == -1.0] == given_up
        assert len(list(log.iterdir())) == computed
        for path in log.iterdir():
            path.unlink()
    before = read_row(out / cells["s0/clip3"]["shard"], cells["s0/clip3"]["row"], ["score"])
    assert build(out, IDS) == {clip.replace("/", "_") for clip in given_up}
    build(tmp_path / "fresh", IDS)
    assert tree(out) == tree(tmp_path / "fresh")
    after = ShardReader(out).read("s0/clip3", "score")  # not what this process read before
    assert before["score"] == -1.0
    assert after == compute("s0/clip3", log)["score"]


class Container:
    """A large object with a reference cycle, like PyAV's containers."""

    there: ClassVar[WeakSet["Container"]] = WeakSet()

    def __init__(self) -> None:
        self.itself = self
        self.there.add(self)


def _with_container(clip: str, log: Path) -> Row:
    Container()
    return {**compute(clip, log), "score": len(Container.there)}


def test_a_clip_leaves_no_garbage(tmp_path: Path) -> None:
    """Objects in reference cycles do not accumulate."""
    (tmp_path / "log").mkdir()
    items = [Item(clip, row_key(clip), clip) for clip in IDS]
    work = partial(_with_container, log=tmp_path / "log")
    cells = build_shards(tmp_path / "out", items, work, FIELDS, per_shard=4, jobs=1, title="test")
    assert {row["score"] for row in cells.rows()} == {1}
