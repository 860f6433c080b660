"""The clip store, from several threads, and with data of other versions."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.faces.crop import decode_jpeg
from pipeline.runtime.errors import PipelineError
from pipeline.shards.build import build_shards, write_index
from pipeline.shards.clip_store import ClipStore
from pipeline.shards.plan import Item, row_key
from pipeline.shards.read import FORMAT
from pipeline.shards.table import array_field, jpeg_field
from tests.factories import FRAMES, MFCC_FIELDS, face_row, mfcc_row, picture, points, write_store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ClipStore:
    """Shards of four clips as the stages write them; d was rejected."""
    return write_store(tmp_path_factory.mktemp("shards"))


def test_the_data_of_a_clip(store: ClipStore) -> None:
    assert store.ids("train") == ["a", "b"]
    assert store.ids("val") == ["c"]
    assert store.length("b") == FRAMES["b"]
    np.testing.assert_array_equal(store.points("b"), points("b"))
    assert store.transform("b").shape == (25, 2, 3)
    whole = store.frames("b")
    assert whole.shape == (25, 128, 128, 3)
    np.testing.assert_array_equal(store.frames("b", [24, 3]), whole[[24, 3]])
    np.testing.assert_array_equal(decode_jpeg(store.jpegs("b")[7]), whole[7])
    assert np.abs(whole[7].astype(int) - picture(7)).mean() < 2
    assert store.mfcc("b").shape == (100, 13)
    assert store.windows("b").shape == (25, 28, 12)
    assert store.variants("b") == 1
    rows, rate = store.variant("b", 1)
    np.testing.assert_array_equal(rows, store.mfcc("b")[::2])
    assert rate == 2


def test_a_missing_folder_raises_on_access(store: ClipStore) -> None:
    """Training needs no data/clips."""
    with pytest.raises(PipelineError, match=r"clips/manifest\.parquet is missing\. Run `dvc repro`"):
        store.samples("a")


def test_any_thread_may_read(store: ClipStore) -> None:
    alone = [store.frames(clip).sum() for clip in "abc"] * 10
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda clip: store.frames(clip).sum(), "abc" * 10)) == alone


def test_the_digest_depends_on_the_shards(store: ClipStore) -> None:
    digests = {
        store.digest(["a", "b"], speech=True),
        store.digest(["a", "b"], speech=False),
        store.digest(["a"], speech=True),
    }
    assert len(digests) == 3
    assert store.digest(["a", "b"], speech=True) in digests


def test_rows_of_another_format_are_refused(tmp_path: Path) -> None:
    """Earlier data has points in source pixels, and no format in its index."""
    faces = tmp_path / "faces"
    fields = [array_field("points", "float32", 68, 2), array_field("transform", "float32", 2, 3), jpeg_field("jpeg")]
    items = [Item("a", row_key("a"), "a")]
    cells = build_shards(faces, items, face_row, fields, per_shard=1, jobs=1, title="faces")
    row = {"id": "a", "split": "train", "status": "ok", "shard": cells["a"]["shard"], "row": 0}
    schema = pa.schema([*(pa.field(name, pa.string()) for name in list(row)[:4]), pa.field("row", pa.int32())])
    write_index(faces, [row], schema)
    assert ClipStore(tmp_path).ids("train") == ["a"]
    index = pq.read_table(faces / "index.parquet")
    assert index.schema.metadata[b"format"] == FORMAT
    for metadata in (None, {"format": "1"}, {"format": "99"}):
        pq.write_table(index.replace_schema_metadata(metadata), faces / "index.parquet")
        with pytest.raises(PipelineError, match=r"faces was written by another version .* again with `dvc repro`"):
            ClipStore(tmp_path).ids("train")


def test_folders_of_different_runs_are_refused(store: ClipStore, tmp_path: Path) -> None:
    (tmp_path / "faces").symlink_to(store.data / "faces")
    items = [Item("a", row_key("a"), "a")]
    cells = build_shards(tmp_path / "mfcc", items, mfcc_row, MFCC_FIELDS, per_shard=1, jobs=1, title="mfcc")
    place = {"id": "a", "shard": cells["a"]["shard"], "row": 0}
    schema = pa.schema([("id", pa.string()), ("shard", pa.string()), ("row", pa.int32())])
    write_index(tmp_path / "mfcc", [place], schema)
    write_index(tmp_path / "clips", [place], schema, "manifest.parquet")
    with pytest.raises(PipelineError, match=r"faces has the clip b, .*clips has not\. Run `dvc repro` first"):
        ClipStore(tmp_path).check()
