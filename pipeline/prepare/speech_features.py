"""Stage mfcc: the speech features of every good clip, in shards."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict
from functools import partial
from pathlib import Path

import pyarrow as pa

from pipeline.config.params import Mfcc
from pipeline.runtime import workers
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath
from pipeline.shards.build import build_shards, write_index
from pipeline.shards.initial import write_initial
from pipeline.shards.plan import Item, row_key
from pipeline.shards.read import MANIFEST, ShardReader, read_row
from pipeline.shards.table import Row, array_field
from pipeline.speech.features import SpeechFeatures
from pipeline.speech.normalisation import InitialStatistics, Statistics
from pipeline.speech.variants import variant

VERSION = 2
"""Raise it with every change of this file or of pipeline.speech that changes a row's bytes."""


def compute_features(source: tuple[Path, int, str], params: Mfcc, initial: InitialStatistics | None) -> Row:
    """The cells of `fields`, in a worker process.

    ``source`` is the place of the clip's samples in data/clips (shard and row), and its id if it gets variants.
    """
    shard, row, trained = source
    samples = read_row(shard, row, ["samples"])["samples"]
    features = SpeechFeatures.of(params.window, params.kind, params.normalise, initial)
    rows = features.finish(features.compute(samples))
    cells = {"mfcc": rows, "rows": len(rows)}
    for number in range(1, params.variants + 1):
        cells |= {f"mfcc_{number}": rows[:0], f"rate_{number}": None}
        if trained:
            changed = variant(samples, features, params, trained, number)
            cells |= {f"mfcc_{number}": features.finish(changed.rows_RC), f"rate_{number}": changed.rate}
    return cells


def fields(params: Mfcc) -> list[pa.Field]:
    """The columns of a shard without id and key."""
    columns = SpeechFeatures.of(params.window, params.kind).coefficients
    layout = [array_field("mfcc", "float32", columns), pa.field("rows", pa.int32())]
    for number in range(1, params.variants + 1):
        layout += [array_field(f"mfcc_{number}", "float32", columns), pa.field(f"rate_{number}", pa.float64())]
    return layout


def build_mfcc(
    clips_folder: Path, params: Mfcc, out: Path, jobs: int, initial: InitialStatistics | None = None
) -> None:
    """Write shards of the speech features of all good clips, and index.parquet, into the folder ``out``.

    ``clips_folder`` is data/clips, with the manifest and the speech. Only clips of the training split get variants.
    With `adaptive`, every clip starts from ``initial``; None computes these statistics from the training split. They
    are written beside the features (`pipeline.shards.initial`).
    """
    reader = ShardReader(clips_folder.absolute(), MANIFEST)
    good = [row for row in reader.rows() if row["status"] == "ok"]
    recipe: tuple[object, ...] = (VERSION, params.window)
    if params.kind != "mfcc" or params.normalise != "none":  # defaults keep the keys of older rows
        recipe += (params.kind, params.normalise)
    if params.normalise == "adaptive":
        initial = initial or count_training(reader.folder, good, params, jobs)
        recipe += tuple(asdict(initial).values())
    else:
        initial = None
    if params.variants:  # rows of all splits have their columns
        recipe += (params.variants,)
    strengths: tuple[float, ...] = (params.gain, params.noise, params.pitch, params.rate)
    if params.room or params.band:  # without them, variants keep the keys from before them
        strengths += (params.room, params.band)
    items = []
    for row in good:
        trained = row["id"] if params.variants and row["split"] == "train" else ""
        content = (row["sha256"], row["start"], row["duration"], *(strengths if trained else ()))
        items.append(Item(row["id"], row_key(*recipe, *content), (reader.folder / row["shard"], row["row"], trained)))
    first = [item.source[0] for item in items[:1]]
    layout, compute = fields(params), partial(compute_features, params=params, initial=initial)
    cells = build_shards(
        out, items, compute, layout, per_shard=params.shard_clips, jobs=jobs, title="mfcc", shared_paths=first
    )
    write_initial(out, initial)
    write_index(out, cells.rows(), cells.schema)


def count_training(folder: Path, rows: Sequence[Row], params: Mfcc, jobs: int) -> InitialStatistics:
    """The statistics of the training clips among ``rows`` of the manifest; ``folder`` (absolute) has their samples."""
    places: dict[Path, list[int]] = {}
    for row in rows:
        if row["split"] == "train":
            places.setdefault(folder / row["shard"], []).append(row["row"])
    features = SpeechFeatures.of(params.window, params.kind)
    total = Statistics(features.coefficients)
    tasks: Iterator[workers.Task] = ((count_shard, (shard, numbers, features), {}) for shard, numbers in places.items())
    with closing(workers.run(tasks, jobs, shared_paths=list(places)[:1])) as counted:
        for statistics in counted:
            total.merge(statistics)
    return total.initial()


def count_shard(shard: Path, numbers: Sequence[int], features: SpeechFeatures) -> Statistics:
    """The statistics of some rows of a shard of data/clips, in a worker process."""
    statistics = Statistics(features.coefficients)
    for number in numbers:
        statistics.add(features.compute(read_row(shard, number, ["samples"])["samples"]))
    return statistics


def initial_of(bundle: StrPath) -> InitialStatistics:
    """The initial statistics of a bundle's AT-net. Raises PipelineError if it has none."""
    from pipeline.bundles.network_files import read_model  # here, because nothing else in the stage needs torch

    folder = Path(bundle, "atnet")
    initial = read_model(folder, "model")[0]["meta"].get("speech", {}).get("initial")
    if initial is None:
        fault = f"mfcc.init: {folder} was not trained with mfcc.normalise: adaptive"
        raise PipelineError(fault, advice="Take another bundle, or leave mfcc.init empty.")
    return InitialStatistics.read(initial)
