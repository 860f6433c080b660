"""SyncNet's weights, the frames and sound it gets, and its metrics."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.signal import medfilt
from torch.nn.functional import pairwise_distance

from pipeline.metrics import METRICS
from pipeline.metrics.base import ClipMetric, NotComputed
from pipeline.metrics.observe import AudioTrack, VideoFeatures
from pipeline.metrics.syncnet import (
    SYNCNET,
    crop_for_syncnet,
    face_boxes,
    features,
    load_syncnet,
    lse_c,
    lse_d,
    mean_distances,
    sound_windows,
    syncnet_features,
    syncnet_offset,
)
from pipeline.models.syncnet import SIZE, SyncNet
from pipeline.runtime.errors import PipelineError

DRAW = np.random.default_rng(0)


Frames = NDArray[np.uint8]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of the published one's layout."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "syncnet_v2.model"
    torch.save(SyncNet().state_dict(), path)
    return path


def clip(frames: int, size: int = 128) -> tuple[VideoFeatures, AudioTrack]:
    """A face that stands still."""
    points = np.broadcast_to(DRAW.uniform(35, 95, (1, 68, 2)), (frames, 68, 2)).astype(np.float32)
    pictures = DRAW.integers(0, 256, (frames, size, size, 3)).astype(np.uint8)
    samples = DRAW.integers(-9000, 9000, 640 * frames).astype(np.int16)
    return (
        VideoFeatures(pictures, points, np.zeros((1, 128), np.float32)),
        AudioTrack(samples, np.full(frames, 0.1, np.float32)),
    )


def test_weights_are_loaded_once_in_eval_mode(weights: Path) -> None:
    network = load_syncnet(weights)
    assert not network.training
    assert load_syncnet(weights) is network


def test_metrics_need_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SYNCNET.variable, raising=False)
    for name in ("lse_c", "lse_d", "syncnet_offset"):
        assert METRICS[name].weights == SYNCNET
        with pytest.raises(PipelineError, match=f"set {SYNCNET.variable} to their path"):
            METRICS[name].make()
    with pytest.raises(PipelineError, match=f"set {SYNCNET.variable} to their path"):
        syncnet_features(*clip(30))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("netfclip.3.bias"), r"does not hold SyncNet: it lacks netfclip\.3\.bias"),
        (
            lambda state: state.update({"netcnnaud.0.weight": torch.zeros(64, 3, 3, 3)}),
            r"netcnnaud\.0\.weight has shape \(64, 3, 3, 3\) where \(64, 1, 3, 3\) belongs\. Give syncnet_v2\.model",
        ),
        (lambda state: state.update(extra=torch.zeros(1)), "does not hold SyncNet alone: extra does not belong to it"),
        (lambda state: state.update(extra=7), "is not a plain state dict: extra is a int"),
    ],
)
def test_other_files_are_refused(weights: Path, tmp_path: Path, change: object, message: str) -> None:
    assert callable(change)
    state = torch.load(weights, weights_only=True)
    change(state)
    path = tmp_path / "other.model"
    torch.save(state, path)
    with pytest.raises(PipelineError, match=message):
        load_syncnet(path)


def test_a_clip_has_a_feature_per_window(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SYNCNET.variable, str(weights))
    observed, heard = clip(8)
    seen, said = syncnet_features(observed, heard)
    assert seen.shape == said.shape == (3, 1024)
    for name in ("lse_c", "lse_d", "syncnet_offset"):
        metric = METRICS[name].make()
        metric.update(seen, said)
        assert np.isfinite(float(metric.compute()))
    with pytest.raises(NotComputed, match="SyncNet needs 6 frames"):
        syncnet_features(*clip(5))
    faceless = VideoFeatures(observed.frames_THWC, np.full((8, 68, 2), np.nan, np.float32), observed.identity_Nx128)
    with pytest.raises(NotComputed, match="in no frame one is found"):
        syncnet_features(faceless, heard)


def test_windows_end_with_the_sound() -> None:
    network = SyncNet().eval().requires_grad_(False)
    pictures = np.zeros((12, SIZE, SIZE, 3), np.uint8)
    seen, said = features(network, pictures, np.ones(8 * 640 + 639, np.int16))
    assert len(seen) == len(said) == 3


def test_the_sound_of_frame_i_starts_at_row_4i() -> None:
    """The same sound without its first frame has the same windows from the second on, but for the first sample."""
    samples = DRAW.integers(-9000, 9000, 640 * 20).astype(np.int16)
    windows = sound_windows(samples, 15)
    assert windows.shape == (15, 13, 20)
    np.testing.assert_allclose(sound_windows(samples[640:], 14)[1:], windows[2:], rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(windows[1, :, :16], windows[0, :, 4:])


def cut_by_hand(frames: Frames, boxes: NDArray[np.float64]) -> Frames:
    """As SyncNet's authors describe it: each frame on a grey ground, box by box, medians by SciPy's other filter."""
    half = np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]) / 2
    tracks = [half, (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2]
    s_T, x_T, y_T = (medfilt(np.pad(one, 6, mode="edge"), 13)[6:-6] for one in tracks)
    cut = []
    for frame, s, x, y in zip(frames, s_T, x_T, y_T, strict=True):
        ground = np.full((frame.shape[0] + 800, frame.shape[1] + 800, 3), 110, np.uint8)
        ground[400:-400, 400:-400] = frame
        rows = slice(int(y + 400 - s), int(y + 400 + 1.8 * s))
        cut.append(cv2.resize(ground[rows, int(x + 400 - 1.4 * s) : int(x + 400 + 1.4 * s)], (224, 224)))
    return np.stack(cut)


@pytest.mark.parametrize("frames", [1, 5, 20])
def test_the_crop_is_the_authors(frames: int) -> None:
    """Also where the box reaches beyond the picture, and in clips shorter than the median."""
    pictures = DRAW.integers(0, 256, (frames, 96, 128, 3)).astype(np.uint8)
    corners = np.array([40, 20, 95, 90]) + DRAW.normal(0, 3, (frames, 4))
    np.testing.assert_array_equal(crop_for_syncnet(pictures, corners), cut_by_hand(pictures, corners))


def test_a_box_contains_face_and_forehead() -> None:
    points = DRAW.uniform(20, 80, (5, 68, 2))
    points[2:4] = np.nan
    boxes = face_boxes(points)
    np.testing.assert_allclose(boxes[0, [0, 2, 3]], [points[0, :, 0].min(), *points[0].max(axis=0)])
    assert boxes[0, 1] == pytest.approx(1.25 * points[0, :, 1].min() - 0.25 * points[0, :, 1].max())
    np.testing.assert_array_equal(boxes[2], boxes[1])  # the nearest with a face
    np.testing.assert_array_equal(boxes[3], boxes[4])


def test_distances_equal_torch() -> None:
    seen, heard = DRAW.normal(0, 1, (2, 40, 64)).astype(np.float32)
    padded = torch.nn.functional.pad(torch.from_numpy(heard), (0, 0, 15, 15))
    expected = [float(pairwise_distance(torch.from_numpy(seen), padded[s : s + 40]).mean()) for s in range(31)]
    np.testing.assert_allclose(mean_distances(seen, heard), expected, rtol=1e-5)
    assert lse_d(seen, heard) == pytest.approx(min(expected), rel=1e-5)
    assert lse_c(seen, heard) == pytest.approx(np.median(expected) - min(expected), rel=1e-3)


@given(st.integers(-15, 15), st.integers(20, 60))
def test_offset_is_the_delay_of_the_pictures(shift: int, windows: int) -> None:
    whole = np.random.default_rng(shift + 15).normal(0, 1, (windows + 30, 16))
    seen, heard = whole[15 - shift : 15 - shift + windows], whole[15 : 15 + windows]
    assert syncnet_offset(seen, heard) == shift


def test_without_windows_there_is_no_distance() -> None:
    nothing = torch.zeros(0, 1024)
    for function in (lse_c, lse_d, syncnet_offset):
        metric = ClipMetric(function)
        metric.update(nothing, nothing)
        assert np.isnan(float(metric.compute()))
