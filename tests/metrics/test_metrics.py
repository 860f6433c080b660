import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torchmetrics.image import StructuralSimilarityIndexMeasure

from pipeline.landmarks.points import MOUTH
from pipeline.metrics import METRICS
from pipeline.metrics.base import MetricEntry
from pipeline.metrics.landmarks import LandmarkDistance, landmark_distance
from pipeline.metrics.pixels import CAP_DB
from tests.metrics.faces import computed, face, floats, moving_face

DRAW = np.random.default_rng(0)


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


@pytest.mark.parametrize("size", [48, 96])
def test_ssim_is_torchmetrics_own(size: int) -> None:
    """The border included. In single precision theirs is 6e-4 off in bright flat frames, ours 5e-5."""
    real = np.stack([face(size), face(size)[::-1], np.full((size, size, 3), 250, np.uint8)])
    fake = np.clip(real + DRAW.normal(0, 8, real.shape), 0, 255).astype(np.uint8)
    theirs = StructuralSimilarityIndexMeasure(data_range=1.0)
    theirs.update(floats(fake).double(), floats(real).double())
    assert computed("ssim", fake, real) == pytest.approx(torch.as_tensor(theirs.compute()).item(), abs=5e-5)
    assert computed("ssim", real, real) == 1


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


KINDS = {
    "frames": st.sampled_from(["face", "noise", "black", "white", "stripes"]),
    **dict.fromkeys(["landmarks", "shapes"], st.sampled_from(["moving", "still", "nothing", "zeros", "gaps", "huge"])),
}
MINE = [entry for entry in METRICS.values() if entry.compares in KINDS and not entry.weights]


def inputs(kind: str, frames: int, seed: int) -> torch.Tensor:
    """Of the kinds that `KINDS` names, what a clip of so many frames may have."""
    draw = np.random.default_rng(seed)
    if kind in ("moving", "still", "nothing", "zeros", "gaps", "huge"):
        points = moving_face(frames, seed)
        if kind == "still":
            points[:] = points[:1]
        elif kind == "gaps":
            points[draw.random(frames) < 0.5] = np.nan
        elif kind != "moving":
            points[:] = {"nothing": np.nan, "zeros": 0.0, "huge": 1e15}[kind]
        return torch.from_numpy(points)
    picture = {"black": np.zeros((64, 64, 3)), "white": np.full((64, 64, 3), 255), "face": face(64)}.get(kind)
    if picture is None:
        picture = (
            draw.integers(0, 256, (64, 64, 3)) if kind == "noise" else 255 * (np.arange(64) % 2)[:, None].repeat(3, 1)
        )
    return floats(np.broadcast_to(picture, (frames, 64, 64, 3)).astype(np.uint8))


@settings(max_examples=40, deadline=None)
@given(st.data(), st.integers(1, 12), st.integers(0, 9))
def test_whatever_a_clip_shows_no_metric_is_infinite(data: st.DataObject, frames: int, seed: int) -> None:
    """And in parts it is what it is at once."""
    entry = data.draw(st.sampled_from(MINE))
    fake, real = (inputs(data.draw(KINDS[entry.compares]), frames, seed + more) for more in (0, 1))
    given_to = (fake, real) if entry.real else (fake,)
    whole, parts = entry.make(), entry.make()
    whole.update(*given_to)
    for part in (slice(0, frames // 3), slice(frames // 3, frames)):
        if len(fake[part]):
            parts.update(*(one[part] for one in given_to))
    value = float(whole.compute())
    assert not np.isinf(value)
    assert float(parts.compute()) == pytest.approx(value, rel=1e-4, nan_ok=True)


@pytest.mark.parametrize("entry", [one for one in MINE if one.real], ids=lambda entry: entry.name)
def test_a_clip_is_not_compared_with_one_of_another_length(entry: MetricEntry) -> None:
    kind = "face" if entry.compares == "frames" else "moving"
    metric = entry.make()
    with pytest.raises((ValueError, RuntimeError)):  # noqa: PT012 - metrics of a whole clip compare at its end
        metric.update(inputs(kind, 5, 0), inputs(kind, 4, 0))
        metric.compute()


def test_equal_clips_have_the_best_of_each() -> None:
    best = {"psnr": CAP_DB, "ssim": 1, "opening": 1, "spread": 1, "paper_psnr": CAP_DB, "paper_ssim": 1}
    for entry in MINE:
        if entry.real:
            same = inputs("face" if entry.compares == "frames" else "moving", 30, 0)
            metric = entry.make()
            metric.update(same, same)
            assert float(metric.compute()) == pytest.approx(best.get(entry.name, 0)), entry.name
