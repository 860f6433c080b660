import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from pipeline.evaluation.metrics.base import MetricEntry
from pipeline.evaluation.metrics.lmd import LandmarkDistance, landmark_distance
from pipeline.evaluation.registry import METRICS
from pipeline.landmarks.points import MOUTH

DRAW = np.random.default_rng(0)


def floats(frames: NDArray[np.uint8]) -> torch.Tensor:
    return torch.from_numpy(frames.astype(np.float32) / 255).permute(0, 3, 1, 2)


def test_psnr_and_ssim_equal_skimage() -> None:
    real = DRAW.integers(0, 256, (4, 128, 128, 3)).astype(np.uint8)
    fake = np.clip(real + DRAW.normal(0, 20, real.shape), 0, 255).astype(np.uint8)
    values = {}
    for name in ("psnr", "ssim"):
        metric = METRICS[name].make()
        for part in (slice(0, 1), slice(1, 4)):
            metric.update(floats(fake[part]), floats(real[part]))
        values[name] = metric.compute()
    psnr = np.mean([peak_signal_noise_ratio(a, b, data_range=255) for a, b in zip(real, fake, strict=True)])
    ssim = np.mean(
        [
            structural_similarity(
                a, b, data_range=255, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
            )
            for a, b in zip(real, fake, strict=True)
        ]
    )
    assert float(values["psnr"]) == pytest.approx(psnr, abs=1e-3)
    assert float(values["ssim"]) == pytest.approx(ssim, abs=2e-3)


def test_psnr_does_not_wrap() -> None:
    """Black against white is 0 dB; on wrapping uint8 differences it would come out far higher."""
    metric = METRICS["psnr"].make()
    metric.update(torch.zeros(1, 3, 32, 32), torch.ones(1, 3, 32, 32))
    assert float(metric.compute()) == pytest.approx(0, abs=1e-5)


def test_landmark_distance_by_hand() -> None:
    real = np.zeros((2, 68, 2))
    fake = real.copy()
    fake[0] += [7, -3]  # a face that stands elsewhere is not worse
    fake[1, 48:58, 1] += 2  # ten of the twenty mouth points 2 px lower: each is 1 px from its place about the mean
    np.testing.assert_allclose(landmark_distance(torch.from_numpy(fake), torch.from_numpy(real)), [0, 1], atol=1e-12)


def test_landmark_distance_equals_a_loop() -> None:
    real, fake = DRAW.normal(64, 20, (2, 5, 68, 2))
    expected = []
    for r, m in zip(real[:, 48:], fake[:, 48:], strict=True):
        r, m = r - r.mean(0), m - m.mean(0)
        expected.append(np.mean([np.hypot(*(a - b)) for a, b in zip(r, m, strict=True)]))
    np.testing.assert_allclose(landmark_distance(torch.from_numpy(fake), torch.from_numpy(real)), expected)


def computed(name: str, fake: NDArray[np.float32], real: NDArray[np.float32]) -> float:
    metric = METRICS[name].make()
    metric.update(torch.from_numpy(fake), torch.from_numpy(real))
    return float(metric.compute())


def test_lost_faces_are_counted_and_not_averaged() -> None:
    real = DRAW.normal(64, 20, (4, 68, 2)).astype(np.float32)
    fake = real.copy()
    fake[1] = np.nan  # not found in the generated picture
    real[3] = np.nan  # not found in the real one: nothing to compare, and not the baseline's fault
    assert computed("lmd", fake, real) == computed("f_lmd", fake, real) == 0
    assert computed("lost", fake, real) == pytest.approx(1 / 3)


def test_no_face_at_all_is_no_distance() -> None:
    real, fake = np.zeros((2, 68, 2), np.float32), np.full((2, 68, 2), np.nan, np.float32)
    assert np.isnan(computed("lmd", fake, real))
    assert computed("lost", fake, real) == 1


def test_the_face_has_all_points_and_the_mouth_its_own() -> None:
    real = DRAW.normal(64, 20, (3, 68, 2)).astype(np.float32)
    fake = real.copy()
    fake[:, 0] += 6  # the jaw
    assert computed("lmd", fake, real) == 0
    assert computed("f_lmd", fake, real) > 0.1
    assert LandmarkDistance(MOUTH).points == MOUTH


@pytest.mark.parametrize("entry", METRICS.values(), ids=lambda entry: entry.name)
def test_entries_say_what_a_reader_needs(entry: MetricEntry) -> None:
    assert entry.title
    assert entry.label.endswith("is better)")
    assert entry.unit in entry.label
