import threading
import time

import numpy as np
import pytest

from pipeline.landmarks.pca import LandmarkModel, fit_model
from pipeline.runtime.errors import PipelineError
from pipeline.shards.clip_store import ClipStore
from pipeline.speech.features import windows
from pipeline.training.data import StoreSource, drawn_variant, load_ahead, training_windows, validation_windows
from tests.factories import picture, points, write_store


def test_each_pass_uses_every_clip_once() -> None:
    lengths = [30, 40, 16, 50, 60, 17]  # the clip of 16 has no room for a reference
    drawn = [window for step in range(10) for window in training_windows(lengths, 16, 3, seed=1, step=step)]
    for start in range(0, 30, 5):
        assert sorted(window.clip for window in drawn[start : start + 5]) == [0, 1, 3, 4, 5]
    assert len({tuple(window.clip for window in drawn[start : start + 5]) for start in range(0, 30, 5)}) > 1


def test_windows_are_within_the_clip_and_references_outside_the_window() -> None:
    lengths = [17, 40, 90]
    seen = set()
    for step in range(300):
        for clip, start, reference in training_windows(lengths, 16, 4, seed=0, step=step):
            assert 0 <= start <= lengths[clip] - 16
            assert 0 <= reference < lengths[clip]
            assert not start <= reference < start + 16
            seen.add((clip, start))
    assert {(0, 0), (0, 1), (1, 0), (1, 24)} <= seen  # first and last places are drawn too


def test_windows_are_a_function_of_seed_and_step() -> None:
    lengths = [40] * 9
    assert training_windows(lengths, 16, 4, 0, 7) == training_windows(lengths, 16, 4, 0, 7)
    assert training_windows(lengths, 16, 4, 0, 7) != training_windows(lengths, 16, 4, 1, 7)
    assert training_windows(lengths, 16, 4, 0, 7) != training_windows(lengths, 16, 4, 0, 8)


def test_groups_are_drawn_as_often_as_they_weigh() -> None:
    """Whatever their number of clips; of one without a clip that is long enough nothing is drawn."""
    lengths = [40] * 6 + [10]
    weights = {(0, 1): 3.0, (2, 3, 4, 5): 1.0, (6,): 5.0}
    drawn = [window for step in range(500) for window in training_windows(lengths, 16, 4, 0, step, weights)]
    assert sum(window.clip < 2 for window in drawn) / len(drawn) == pytest.approx(0.75, abs=0.03)
    assert {window.clip for window in drawn} == set(range(6))
    assert training_windows(lengths, 16, 4, 0, 7, weights) == training_windows(lengths, 16, 4, 0, 7, weights)


def test_variants_are_a_function_of_seed_and_position() -> None:
    assert drawn_variant(0, 0, 1) == 0
    drawn = [drawn_variant(3, 0, position) for position in range(400)]
    assert drawn[8:16] == [drawn_variant(3, 0, position) for position in range(8, 16)]
    assert drawn[:16] != [drawn_variant(3, 1, position) for position in range(16)]
    counts = np.bincount(drawn)
    assert len(counts) == 4  # the sound itself, and each variant, as often as another
    assert counts.min() > 70


def test_validation_windows_are_spread_over_the_split() -> None:
    drawn = validation_windows([40] * 100, 16, most=5)
    assert [window.clip for window in drawn] == [0, 24, 49, 74, 99]
    assert len(validation_windows([40, 40], 16, most=5)) == 2


def test_error_if_all_clips_are_too_short() -> None:
    with pytest.raises(PipelineError, match=r"No clip has more than 16 frames, the longest has 12\. Lower `frames`"):
        training_windows([10, 12], 16, 4, 0, 0)


@pytest.mark.parametrize("threads", [1, 3])
def test_loading_ahead_keeps_the_order(threads: int) -> None:
    def make(step: int) -> int:
        time.sleep(0.01 if step % 2 else 0)
        return step

    assert list(load_ahead(make, range(3, 20), threads)) == list(range(3, 20))
    assert list(load_ahead(make, range(3, 3), threads)) == []
    assert list(load_ahead(make, range(5, 7), threads)) == [5, 6]


def test_loading_stays_a_few_steps_ahead_and_passes_errors_on() -> None:
    made: list[int] = []
    lock = threading.Lock()

    def make(step: int) -> int:
        with lock:
            made.append(step)
        if step == 6:
            raise PipelineError("clip 6 is gone")
        return step

    batches = load_ahead(make, range(100), threads=2)
    assert next(batches) == 0
    time.sleep(0.05)
    assert len(made) <= 5
    with pytest.raises(PipelineError, match="clip 6 is gone"):
        list(batches)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ClipStore:
    """Shards of four clips as the stages write them; d was rejected."""
    return write_store(tmp_path_factory.mktemp("shards"))


@pytest.fixture(scope="module")
def model() -> LandmarkModel:
    return fit_model([points("a"), points("b")], 6)


def test_store_source_reads_what_the_stages_wrote(store: ClipStore, model: LandmarkModel) -> None:
    source = StoreSource(store, model, "train", speech=True)
    assert source.lengths == [20, 25]
    pictures = source.pictures(1, [4, 0, 24])
    assert pictures.shape == (3, 128, 128, 3)
    for made, frame in zip(pictures, (4, 0, 24), strict=True):
        assert np.abs(made.astype(int) - picture(frame)).mean() < 2
    expected = model.normalize(points("b"))
    np.testing.assert_allclose(source.landmarks(1), expected, atol=1e-4)
    np.testing.assert_allclose(source.coefficients(1), model.project(expected), atol=1e-4)
    mfcc_RC = np.random.default_rng(ord("b")).normal(size=(100, 13)).astype(np.float32)
    np.testing.assert_array_equal(source.windows(1), windows(mfcc_RC, 25))


def test_faster_speech_moves_the_lips_faster(store: ClipStore, model: LandmarkModel) -> None:
    """Of sound twice as fast frame k shows what lies between frames 2k and 2k + 1 of the clip."""
    source = StoreSource(store, model, "train", speech=True)
    assert source.variants == 1
    heard, moved = source.variant(1, 1, start=5, frames=6)
    rows = np.random.default_rng(ord("b")).normal(size=(100, 13)).astype(np.float32)[::2]
    np.testing.assert_array_equal(heard, windows(rows, 12)[2:8])  # frame 5 of the clip is frame 2.5 here
    coefficients = source.coefficients(1)
    np.testing.assert_allclose(moved[0], (coefficients[4] + coefficients[5]) / 2, atol=1e-5)
    np.testing.assert_allclose(moved[3], (coefficients[10] + coefficients[11]) / 2, atol=1e-5)
    heard, moved = source.variant(1, 1, start=9, frames=16)  # beyond the end all stays as it was there
    assert heard.shape == (16, 28, 12)
    np.testing.assert_allclose(moved[-1], coefficients[-1], atol=1e-5)


def test_store_source_serves_threads(store: ClipStore, model: LandmarkModel) -> None:
    source = StoreSource(store, model, "train", speech=True)
    alone = [source.pictures(step % 2, range(20)).sum() for step in range(20)]
    assert list(load_ahead(lambda step: source.pictures(step % 2, range(20)).sum(), range(20), threads=4)) == alone


def test_digest_depends_on_the_data(store: ClipStore, model: LandmarkModel) -> None:
    digests = [
        StoreSource(store, model, "train", speech=True).digest,
        StoreSource(store, model, "train", speech=False).digest,
        StoreSource(store, model, "val", speech=True).digest,
        StoreSource(store, fit_model([points("a")], 6), "train", speech=True).digest,
    ]
    assert StoreSource(store, model, "train", speech=True).digest == digests[0]
    assert len(set(digests)) == 4


def test_error_if_a_split_is_empty(store: ClipStore, model: LandmarkModel) -> None:
    with pytest.raises(PipelineError, match="has no good clip in the test split"):
        StoreSource(store, model, "test", speech=True)
