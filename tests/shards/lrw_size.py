"""The cost of writing, reading and sharding the manifest of a large corpus, in a process of its own.

    python -m tests.shards.lrw_size FOLDER CLIPS

LRW has about 540,000 clips. Clips, hashes and metrics are invented. Prints a line of JSON: CPU seconds of each step,
and peak memory in MB.
"""

import hashlib
import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from pipeline.prepare.extract import FIELDS
from pipeline.prepare.manifest import ManifestRow, read_manifest, write_manifest
from pipeline.shards.build import build_shards
from pipeline.shards.plan import Item, cut, row_key
from pipeline.shards.table import Row, write_shard
from tests.peak import peak

WORDS = 500
PER_SHARD = 256
SCHEMA = pa.schema([pa.field("id", pa.string()), pa.field("key", pa.string()), *FIELDS])
CELLS: Row = {
    **{"samples": b"", "fps": 25.0, "frames": 29, "audio_offset": 0.02, "heard": 1.16, "level": -21.1, "damaged": 0},
    **{"damage": "", "unusual": "", "error": ""},
}


def main(folder: Path, clips: int) -> None:
    spent: dict[str, float] = {}

    @contextmanager
    def timed(step: str) -> Iterator[None]:
        start = time.process_time()
        yield
        spent[step] = time.process_time() - start

    ids = [f"WORD{number % WORDS:03d}/train/WORD{number % WORDS:03d}_{number // WORDS:05d}" for number in range(clips)]
    ids.sort()
    rows = [invent_row(number, clip) for number, clip in enumerate(ids)]
    with timed("write"):
        write_manifest(folder, rows)
    del rows
    with timed("read"):
        manifest = read_manifest(folder)
    assert [row.id for row in manifest] == ids
    with timed("plan"):
        items = [Item(row.id, row_key(1, row.sha256, row.start, row.duration), folder / row.path) for row in manifest]
        plans = cut(items, PER_SHARD)
    invent_shards(folder, plans)
    with timed("what is there"):
        cells = build_shards(folder, items, never, FIELDS, per_shard=PER_SHARD, jobs=2, title="made up")
    assert list(cells) == ids
    print(json.dumps({"shards": len(plans), "longest": max(map(len, plans)), "peak": peak(), "seconds": spent}))


def invent_row(number: int, clip: str) -> ManifestRow:
    word, split, _ = clip.split("/")
    return ManifestRow(
        id=clip,
        speaker="",
        split=split,
        text=word,
        path=f"{clip}.mp4",
        sha256=hashlib.sha256(clip.encode()).hexdigest(),
        start=0.0,
        fps=25.0,
        frames=29,
        duration=1.16,
        audio_offset=0.02,
        damaged=0.0,
        level=-20 - number / 540_000,
        length_difference=0.01,
        status="ok",
        reason="",
        shard=f"shard-{number // PER_SHARD}.parquet",
        row=number % PER_SHARD,
    )


def invent_shards(folder: Path, plans: Sequence[Sequence[Item]]) -> None:
    """Like those of a finished build, but with empty samples and one row group per shard."""
    for plan in plans:
        columns = {name: [value] * len(plan) for name, value in CELLS.items()}
        columns |= {"id": [item.id for item in plan], "key": [item.key for item in plan]}
        write_shard(folder, [pa.table({name: columns[name] for name in SCHEMA.names}, schema=SCHEMA)], SCHEMA)


def never(source: Path) -> Row:
    raise AssertionError(f"{source} is there already")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
