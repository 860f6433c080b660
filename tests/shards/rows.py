"""Rows that depend on their id alone, with a log of computed ones."""

import hashlib
import os
import time
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.shards.build import build_shards, write_index
from pipeline.shards.plan import Item, row_key
from pipeline.shards.table import Row, array_field, jpeg_field

FIELDS = [array_field("points", "float32", 68, 2), jpeg_field("jpeg"), pa.field("score", pa.float64())]


def compute(clip: str, log: Path) -> Row:
    """A row that depends on the id alone; every call is logged."""
    (log / clip.replace("/", "_")).write_text("")
    seed = int(hashlib.sha256(clip.encode()).hexdigest()[:8], 16)
    draw = np.random.default_rng(seed)
    frames = int(draw.integers(0, 4))
    return {
        "points": draw.standard_normal((frames, 68, 2)),
        "jpeg": [draw.bytes(50) for _ in range(frames)],
        "score": float(draw.random()),
    }


def slowly(clip: str, log: Path) -> Row:
    time.sleep(0.2)
    return compute(clip, log)


def build(folder: Path, ids: list[str], *, jobs: int = 1, per_shard: int = 4, version: int = 0) -> set[str]:
    """Build, and return the computed clips."""
    log = folder.parent / f"log-{os.urandom(4).hex()}"
    log.mkdir()
    items = [Item(clip, row_key(version, clip), clip) for clip in ids]
    work = partial(compute, log=log)
    cells = build_shards(folder, items, work, FIELDS, per_shard=per_shard, jobs=jobs, title="test")
    rows = [{"id": clip, "shard": cells[clip]["shard"], "row": cells[clip]["row"]} for clip in ids]
    write_index(folder, rows, pa.schema([("id", pa.string()), ("shard", pa.string()), ("row", pa.int32())]))
    return {path.name for path in log.iterdir()}


def tree(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


IDS = [f"s{number % 3}/clip{number}" for number in range(10)]
