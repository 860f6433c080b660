"""Reading one clip of a large shard takes little time and reads little of the file."""

import os
import time
from collections.abc import Callable
from io import FileIO
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from pipeline.faces.crop import encode_jpeg
from pipeline.prepare.faces import FIELDS
from pipeline.shards.build import build_shards
from pipeline.shards.plan import Item, cut, row_key
from pipeline.shards.read import open_shard, read_row
from pipeline.shards.table import Row

pytestmark = pytest.mark.slow

CLIPS, FRAMES = 128, 75
COLUMNS = ["points", "transform", "found", "jpeg"]


class _Face:
    """Rows like those of the stage landmarks, with a real crop."""

    def __init__(self, photograph: NDArray[np.uint8]) -> None:
        crop = cv2.resize(photograph[20:240, 115:335], (128, 128), interpolation=cv2.INTER_AREA)
        self.jpeg = [encode_jpeg(np.roll(crop, shift, axis=1), 95) for shift in range(FRAMES)]

    def __call__(self, number: int) -> Row:
        draw = np.random.default_rng(number)
        metrics = {field.name: draw.random() for field in FIELDS if pa.types.is_floating(field.type)}
        return {
            "points": 100 * draw.random((FRAMES, 68, 2)),
            "transform": draw.random((FRAMES, 2, 3)),
            "found": np.ones(FRAMES),
            "jpeg": self.jpeg,
            "frames": FRAMES,
            "error": "",
            **metrics,
        }


@pytest.fixture(scope="module")
def shard(photograph: NDArray[np.uint8], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shard of 128 clips of 75 frames."""
    folder = tmp_path_factory.mktemp("large")
    items = [Item(f"s{number % 34}/clip{number:05d}", row_key(number), number) for number in range(CLIPS)]
    parts = cut(items, 4 * CLIPS)  # starting at a cut puts all clips into one shard
    items = [item for part in reversed(parts) for item in part]
    build_shards(folder, items, _Face(photograph), FIELDS, per_shard=4 * CLIPS, jobs=1, title="test")
    (path,) = folder.glob("shard-*.parquet")
    assert pq.read_metadata(path).num_rows == CLIPS
    assert path.stat().st_size > 50e6
    return path


def seconds(work: Callable[[int], object]) -> float:
    """The minimum over random clips, in CPU time of this thread, so that other work has no influence."""
    spent = []
    for number in np.random.default_rng(0).integers(0, CLIPS, 25).tolist():
        start = time.thread_time()
        work(number)
        spent.append(time.thread_time() - start)
    return min(spent)


def test_a_clip_of_an_open_shard(shard: Path) -> None:
    def whole(_: int) -> None:
        pq.read_table(shard, columns=COLUMNS, use_threads=False)

    read_row(shard, 0, COLUMNS)
    assert seconds(lambda number: read_row(shard, number, COLUMNS)) < seconds(whole) / 10
    assert read_row(shard, 7, ["jpeg"])["jpeg"][:2] != read_row(shard, 7, ["jpeg"])["jpeg"][2:4]


def test_a_clip_of_a_closed_shard(shard: Path) -> None:
    """Like a loader that draws from thousands of shards: reading the footer is most of the cost."""

    def opened(number: int) -> None:
        open_shard.cache_clear()
        read_row(shard, number, COLUMNS)

    assert seconds(opened) < 3 * seconds(lambda _: pq.ParquetFile(shard))
    assert pq.read_metadata(shard).serialized_size < 400e3


class _Counting(FileIO):
    """Counts the bytes read from a file."""

    count = 0

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        done = super().readinto(buffer) or 0
        self.count += done
        return done

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(-1 if size is None else size) or b""
        self.count += len(data)
        return data


def test_the_rest_of_the_shard_is_not_read(shard: Path) -> None:
    size = shard.stat().st_size
    with _Counting(str(shard)) as file:
        table = pq.ParquetFile(file).read_row_group(50, columns=COLUMNS, use_threads=False)
        assert len(table["jpeg"][0]) == FRAMES
        assert size / CLIPS * 0.9 < file.count < size / CLIPS + 600e3


def test_the_memory_map_touches_only_the_row(shard: Path) -> None:
    """read_row maps few pages of the file into this process's memory."""
    open_shard.cache_clear()
    read_row(shard, 50, COLUMNS)
    assert 0 < resident(shard) < 4 * shard.stat().st_size / CLIPS + 2e6


def resident(path: Path) -> int:
    """Bytes of a mapped file that are in this process's memory."""
    lines = iter(Path("/proc/self/smaps").read_text().splitlines())
    pages = 0
    for line in lines:
        if line.endswith(os.fspath(path)):
            pages += int(next(entry for entry in lines if entry.startswith("Rss:")).split()[1]) * 1024
    return pages
