"""SyncNet against what an independent implementation gave with the same weights."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pipeline.media import read_audio
from pipeline.metrics.syncnet import features, lse_c, lse_d, mean_distances, syncnet_offset
from pipeline.models.syncnet import FRAMES, SIZE, SyncNet
from pipeline.speech.classic_mfcc import ClassicMfcc, classic_mfcc
from tests.preprocessing.published.original import filled

Golden = dict[str, NDArray[np.float64]]


@pytest.fixture(scope="module")
def golden(original: Path) -> Golden:
    with np.load(original / "golden_syncnet.npz") as arrays:
        return {name: arrays[name].astype(np.float64) for name in arrays}


@pytest.fixture(scope="module")
def samples(original: Path) -> NDArray[np.int16]:
    return read_audio(original / "demo" / "speech.wav")[:19200]


@pytest.fixture(scope="module")
def network(original: Path) -> SyncNet:
    layout = json.loads((original / "syncnet_layout.json").read_text())
    network = SyncNet()
    assert {key: list(value.shape) for key, value in network.state_dict().items()} == layout
    network.load_state_dict(filled(layout))
    return network.eval().requires_grad_(False)


def test_it_hears_the_packages_coefficients(golden: Golden, samples: NDArray[np.int16]) -> None:
    np.testing.assert_allclose(
        classic_mfcc(samples.astype(np.float64), ClassicMfcc()).T, golden["mfcc"], rtol=1e-9, atol=1e-9
    )


def test_features_distances_and_metrics_are_the_recorded_ones(
    network: SyncNet, golden: Golden, samples: NDArray[np.int16]
) -> None:
    """Within a thousandth. The pictures are recorded in BGR, and given in RGB."""
    bgr = np.random.default_rng(5).integers(0, 256, (30, SIZE, SIZE, 3), np.uint8)
    seen, heard = (one.numpy() for one in features(network, bgr[..., ::-1], samples))
    for ours, name in ((seen, "video_features"), (heard, "speech_features")):
        assert ours.shape == golden[name].shape
        np.testing.assert_allclose(ours, golden[name], rtol=0, atol=1e-3 * np.abs(golden[name]).max())
    np.testing.assert_allclose(mean_distances(seen, heard), golden["mean_distance"], rtol=1e-3)
    assert lse_d(seen, heard) == pytest.approx(golden["minimum"], rel=1e-3)
    assert lse_c(seen, heard) == pytest.approx(golden["confidence"], rel=1e-3)
    assert syncnet_offset(seen, heard) == golden["offset"]


def test_a_shift_is_the_recorded_one(golden: Golden) -> None:
    seen, heard = golden["shift_video"], golden["shift_speech"]
    np.testing.assert_allclose(mean_distances(seen, heard), golden["shift_mean_distance"], rtol=1e-3)
    assert lse_c(seen, heard) == pytest.approx(golden["shift_confidence"], rel=1e-3)
    assert syncnet_offset(seen, heard) == golden["shift_offset"]


def test_a_window_has_its_own_five_frames_whatever_the_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.models.syncnet._CHUNK", 2)
    torch.manual_seed(0)
    network = SyncNet().eval().requires_grad_(False)
    frames = torch.randint(0, 256, (7, 3, SIZE, SIZE), dtype=torch.uint8)
    seen = network.see(frames)
    assert seen.shape == (3, 1024)
    for first in range(3):
        torch.testing.assert_close(seen[first : first + 1], network.see(frames[first : first + FRAMES]))
    assert network.see(frames[:4]).shape == (0, 1024)
