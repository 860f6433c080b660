"""The stage mfcc: its columns, and variants of training clips."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.config.params import Mfcc
from pipeline.prepare.speech_features import build_mfcc, initial_of
from pipeline.runtime.errors import PipelineError
from pipeline.shards.build import build_shards, write_index
from pipeline.shards.clip_store import ClipStore
from pipeline.shards.initial import read_initial
from pipeline.shards.plan import Item, row_key
from pipeline.shards.read import MANIFEST
from pipeline.shards.table import array_field
from pipeline.speech.features import SpeechFeatures
from pipeline.speech.normalisation import InitialStatistics, Statistics, normalised
from pipeline.speech.variants import variant
from tests.factories import write_bundle

SPLITS = {"s1/a": "train", "s1/b": "train", "s2/c": "val", "s2/d": "test"}
STRONG = Mfcc(kind="log_mel", normalise="clip", variants=2, shard_clips=2)


def samples(clip: str) -> np.ndarray:
    return np.random.default_rng(ord(clip[-1])).normal(0, 3000, 16000).astype(np.int16)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The parts of data/clips that the stage reads, for four clips."""
    items = [Item(clip, row_key(clip), clip) for clip in SPLITS]
    cells = build_shards(
        tmp_path / "clips",
        items,
        lambda clip: {"samples": samples(clip)},
        [array_field("samples", "int16")],
        per_shard=2,
        jobs=1,
        title="clips",
    )
    texts = {
        "sha256": pa.string(),
        "status": pa.string(),
        "split": pa.string(),
        "id": pa.string(),
        "shard": pa.string(),
    }
    schema = pa.schema([*texts.items(), ("start", pa.float64()), ("duration", pa.float64()), ("row", pa.int32())])
    manifest = [
        {**cells[clip], "sha256": clip, "status": "ok", "split": split, "start": 0.0, "duration": 1.0}
        for clip, split in SPLITS.items()
    ]
    write_index(tmp_path / "clips", manifest, schema, MANIFEST)
    return tmp_path


def build(data: Path, params: Mfcc, jobs: int = 1) -> dict[str, bytes]:
    build_mfcc(data / "clips", params, data / "mfcc", jobs)
    return {path.name: path.read_bytes() for path in sorted((data / "mfcc").iterdir())}


def test_training_clips_have_variants(data: Path) -> None:
    build(data, STRONG)
    store, features = ClipStore(data), SpeechFeatures.of(0.025, "log_mel", "clip")
    for clip, split in SPLITS.items():
        np.testing.assert_array_equal(store.mfcc(clip), normalised(features.compute(samples(clip))))
        assert store.variants(clip) == (2 if split == "train" else 0)
    for number in (1, 2):
        rows, rate = store.variant("s1/b", number)
        expected = variant(samples("s1/b"), features, STRONG, "s1/b", number)
        np.testing.assert_array_equal(rows, normalised(expected.rows_RC))
        assert rate == expected.rate


def test_no_columns_without_variants(data: Path) -> None:
    build(data, Mfcc())
    store = ClipStore(data)
    assert store.mfcc("s1/a").shape == (100, 13)
    assert store.variants("s1/a") == 0
    assert pq.read_schema(data / "mfcc/index.parquet").names == ["id", "rows", "shard", "row"]


def test_the_same_bytes_for_any_order_and_number_of_workers(data: Path) -> None:
    first = build(data, STRONG)
    build(data, Mfcc(kind="log_mel"))
    assert build(data, STRONG, jobs=2) == first


ADAPTIVE = replace(STRONG, normalise="adaptive")


def test_adaptive_rows_start_from_the_statistics_of_the_training_split(data: Path) -> None:
    build(data, ADAPTIVE)
    statistics, plain = Statistics(27), SpeechFeatures.of(0.025, "log_mel")
    for clip in ("s1/a", "s1/b"):
        statistics.add(plain.compute(samples(clip)))
    assert read_initial(data / "mfcc") == statistics.initial()
    store = ClipStore(data)
    features = SpeechFeatures.of(0.025, "log_mel", "adaptive", statistics.initial())
    for clip in SPLITS:
        np.testing.assert_array_equal(store.mfcc(clip), features.finish(plain.compute(samples(clip))))
    expected = variant(samples("s1/b"), features, ADAPTIVE, "s1/b", 2)
    np.testing.assert_array_equal(store.variant("s1/b", 2)[0], features.finish(expected.rows_RC))


def test_adaptive_rows_are_the_same_bytes_for_any_number_of_workers(data: Path) -> None:
    first = build(data, ADAPTIVE)
    assert "initial.json" in first
    assert "initial.json" not in build(data, STRONG)
    assert build(data, ADAPTIVE, jobs=2) == first


def test_adaptive_rows_take_over_the_statistics_of_a_bundle(data: Path, tmp_path: Path) -> None:
    initial = InitialStatistics((1.0,) * 27, (2.0,) * 27)
    bundle = write_bundle(tmp_path / "models", speech=SpeechFeatures.of(0.025, "log_mel", "adaptive", initial))
    assert initial_of(bundle) == initial
    counted = build(data, ADAPTIVE)
    build_mfcc(data / "clips", ADAPTIVE, data / "mfcc", 1, initial_of(bundle))
    assert read_initial(data / "mfcc") == initial
    assert not counted.keys() & {path.name for path in (data / "mfcc").glob("shard-*")}


def test_a_bundle_without_initial_statistics_is_refused(tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path / "models")
    with pytest.raises(
        PipelineError, match=r"mfcc\.init: .*models/atnet was not trained with mfcc\.normalise: adaptive"
    ):
        initial_of(bundle)


@pytest.mark.parametrize(
    ("text", "message"), [(None, r"initial\.json is missing\. Run"), ("{}", r"is damaged \(KeyErr")]
)
def test_initial_statistics_that_cannot_be_read(text: str | None, message: str, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "initial.json").write_text(text)
    with pytest.raises(PipelineError, match=message):
        read_initial(tmp_path)


@pytest.mark.parametrize(
    "change", [{"kind": "mfcc"}, {"normalise": "none"}, {"variants": 1}, {"pitch": 1.0}, {"room": 0.3}]
)
def test_changed_params_make_new_rows(data: Path, change: dict[str, object]) -> None:
    """Changed strengths of variants leave the rows of other clips alone."""
    params = replace(STRONG, shard_clips=1)
    first = build(data, params).keys()
    kept = first & build(data, replace(params, **change)).keys() - {"index.parquet"}  # type: ignore[arg-type]
    assert len(kept) == (2 if change.keys() & {"pitch", "room"} else 0)
