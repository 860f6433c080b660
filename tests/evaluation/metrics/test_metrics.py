import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from pipeline.evaluation.metrics import LandmarkDistance, PictureMetrics, interval, landmark_distance

DRAW = np.random.default_rng(0)


def test_psnr_and_ssim_equal_skimage() -> None:
    real = DRAW.integers(0, 256, (4, 128, 128, 3)).astype(np.uint8)
    made = np.clip(real + DRAW.normal(0, 20, real.shape), 0, 255).astype(np.uint8)
    metrics = PictureMetrics()
    metrics.add(real[:1], made[:1])
    metrics.add(real[1:], made[1:])
    values = metrics.compute()
    psnr = np.mean([peak_signal_noise_ratio(a, b, data_range=255) for a, b in zip(real, made, strict=True)])
    ssim = np.mean(
        [
            structural_similarity(
                a, b, data_range=255, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
            )
            for a, b in zip(real, made, strict=True)
        ]
    )
    assert float(values["psnr"]) == pytest.approx(psnr, abs=1e-3)
    assert float(values["ssim"]) == pytest.approx(ssim, abs=2e-3)


def test_psnr_does_not_wrap() -> None:
    """Black against white is 0 dB; on wrapping uint8 differences it would come out far higher."""
    metrics = PictureMetrics()
    metrics.add(np.zeros((1, 32, 32, 3), np.uint8), np.full((1, 32, 32, 3), 255, np.uint8))
    assert float(metrics.compute()["psnr"]) == pytest.approx(0, abs=1e-5)


def test_landmark_distance_by_hand() -> None:
    real = np.zeros((2, 68, 2))
    made = real.copy()
    made[0] += [7, -3]  # a face that stands elsewhere is no worse
    made[1, 48:58, 1] += 2  # ten of the twenty mouth points 2 px lower: each is 1 px from its place about the mean
    np.testing.assert_allclose(landmark_distance(real, made), [0, 1], atol=1e-12)


def test_landmark_distance_equals_a_loop() -> None:
    real, made = DRAW.normal(64, 20, (2, 5, 68, 2))
    expected = []
    for r, m in zip(real[:, 48:], made[:, 48:], strict=True):
        r, m = r - r.mean(0), m - m.mean(0)
        expected.append(np.mean([np.hypot(*(a - b)) for a, b in zip(r, m, strict=True)]))
    np.testing.assert_allclose(landmark_distance(real, made), expected)


def test_lost_faces_are_counted_and_not_averaged() -> None:
    real = DRAW.normal(64, 20, (4, 68, 2)).astype(np.float32)
    made = real.copy()
    made[1] = np.nan  # not found in the made picture
    real[3] = np.nan  # not found in the real one: nothing to compare, and not the method's fault
    metric = LandmarkDistance()
    metric.update(real, made)
    values = metric.compute()
    assert float(values["lmd"]) == 0
    assert float(values["lost"]) == pytest.approx(1 / 3)


def test_no_face_at_all_is_no_distance() -> None:
    metric = LandmarkDistance()
    metric.update(np.zeros((2, 68, 2)), np.full((2, 68, 2), np.nan))
    values = metric.compute()
    assert np.isnan(float(values["lmd"]))
    assert float(values["lost"]) == 1


def test_interval_covers_the_mean_as_often_as_it_says() -> None:
    hits = 0
    for trial in range(200):
        values = np.random.default_rng(trial).normal(5, 1, 40)
        low, high = interval(values, rounds=400)
        hits += low <= 5 <= high
    assert 0.88 <= hits / 200 <= 0.99


def test_interval_is_seeded_and_leaves_out_missing() -> None:
    assert interval([1.0, 2.0, 3.0]) == interval([1.0, 2.0, float("nan"), 3.0])
    assert np.isnan(interval([float("nan")])[0])
