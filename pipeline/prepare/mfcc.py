"""Stage mfcc: every good clip's speech features, in shards."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.config.params import Mfcc
from pipeline.runtime.paths import StrPath
from pipeline.shards.build import build_shards, write_index
from pipeline.shards.plan import Item, row_key
from pipeline.shards.read import MANIFEST, ShardReader, read_row
from pipeline.shards.table import Row, array_field, small
from pipeline.speech.features import SpeechFeatures
from pipeline.speech.normalisation import normalised
from pipeline.speech.variants import variant

VERSION = 2
"""Raised with every change of this file or of pipeline.speech that changes a row's bytes."""


@dataclass(frozen=True)
class MfccBuilder:
    """Computes a clip's row; runs in worker processes."""

    params: Mfcc

    def __call__(self, source: tuple[Path, int, str]) -> Row:
        """The cells of `fields`, from where the clip's samples stand in data/clips, and the id of one to train on."""
        shard, row, trained = source
        samples = read_row(shard, row, ["samples"])["samples"]
        features = SpeechFeatures.of(self.params.window, self.params.kind, self.params.normalise)
        finish = normalised if features.normalise == "clip" else np.asarray
        rows = finish(features.compute(samples))
        cells = {"mfcc": rows, "rows": len(rows)}
        for number in range(1, self.params.variants + 1):
            if trained:
                changed = variant(samples, features, self.params, trained, number)
                cells |= {f"mfcc_{number}": finish(changed.rows_RC), f"rate_{number}": changed.rate}
            else:
                cells |= {f"mfcc_{number}": rows[:0], f"rate_{number}": None}
        return cells


def fields(params: Mfcc) -> list[pa.Field]:
    """The columns of a shard, without id and key."""
    columns = SpeechFeatures.of(params.window, params.kind).coefficients
    made = [array_field("mfcc", "float32", columns), pa.field("rows", pa.int32())]
    for number in range(1, params.variants + 1):
        made += [array_field(f"mfcc_{number}", "float32", columns), pa.field(f"rate_{number}", pa.float64())]
    return made


def build_mfcc(clips_folder: StrPath, params: Mfcc, out: StrPath, jobs: int) -> None:
    """Write ``out``: the features of every good clip of the manifest in ``clips_folder``, and index.parquet.

    Variants are made of the clips of the training split alone.
    """
    clips_folder, out = Path(clips_folder), Path(out)
    reader = ShardReader(clips_folder.absolute(), MANIFEST)
    recipe: tuple[object, ...] = (VERSION, params.window)
    if (params.kind, params.normalise) != ("mfcc", "none"):  # without a choice, rows keep the keys from before it
        recipe += (params.kind, params.normalise)
    if params.variants:  # a row of another split has their columns, too
        recipe += (params.variants,)
    strengths = (params.gain, params.noise, params.pitch, params.rate)
    items = []
    for row in reader.index.rows():
        if row["status"] != "ok":
            continue
        trained = row["id"] if params.variants and row["split"] == "train" else ""
        content = (row["sha256"], row["start"], row["duration"], *(strengths if trained else ()))
        items.append(Item(row["id"], row_key(*recipe, *content), (reader.folder / row["shard"], row["row"], trained)))
    first = [item.source[0] for item in items[:1]]
    layout = fields(params)
    cells = build_shards(
        out, items, MfccBuilder(params), layout, per_shard=params.shard_clips, jobs=jobs, title="mfcc", sees=first
    )
    place = [pa.field("shard", pa.string()), pa.field("row", pa.int32())]
    write_index(out, cells.rows(), pa.schema([pa.field("id", pa.string()), *small(pa.schema(layout)), *place]))
