"""Stage mfcc: every good clip's MFCC, in shards."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from pipeline.config.params import Mfcc
from pipeline.runtime.paths import StrPath
from pipeline.shards.build import build_shards, write_index
from pipeline.shards.plan import Item, row_key
from pipeline.shards.read import MANIFEST, ShardReader, read_row
from pipeline.shards.table import Row, array_field
from pipeline.speech.mfcc import COEFFICIENTS, mfcc

VERSION = 2
"""Raised with every change of this file or of pipeline.speech that changes a row's bytes."""

FIELDS = [
    array_field("mfcc", "float32", COEFFICIENTS),
    pa.field("rows", pa.int32()),
]

INDEX_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string()),
        pa.field("rows", pa.int32()),
        pa.field("shard", pa.string()),
        pa.field("row", pa.int32()),
    ]
)


@dataclass(frozen=True)
class MfccBuilder:
    """Computes a clip's row from where its samples stand in data/clips; runs in worker processes."""

    params: Mfcc

    def __call__(self, place: tuple[Path, int]) -> Row:
        """The cells of ``FIELDS``."""
        samples = read_row(*place, ["samples"])["samples"]
        rows = mfcc(samples, self.params.window)
        return {"mfcc": rows, "rows": len(rows)}


def build_mfcc(clips_folder: StrPath, params: Mfcc, out: StrPath, jobs: int) -> None:
    """Write ``out``: the MFCC of every good clip of the manifest in ``clips_folder``, and index.parquet."""
    clips_folder, out = Path(clips_folder), Path(out)
    reader = ShardReader(clips_folder.absolute(), MANIFEST)
    recipe = (VERSION, params.window)
    content = ("sha256", "start", "duration")
    items = [
        Item(
            row["id"],
            row_key(*recipe, *(row[name] for name in content)),
            (reader.folder / row["shard"], row["row"]),
        )
        for row in reader.index.rows()
        if row["status"] == "ok"
    ]
    first = [item.source[0] for item in items[:1]]
    cells = build_shards(
        out, items, MfccBuilder(params), FIELDS, per_shard=params.shard_clips, jobs=jobs, title="mfcc", sees=first
    )
    write_index(out, cells.rows(), INDEX_SCHEMA)
