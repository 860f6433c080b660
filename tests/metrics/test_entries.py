"""Properties that all metrics share."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.metrics import METRICS
from pipeline.metrics.base import MetricEntry
from pipeline.metrics.pixels import CAP_DB
from tests.metrics.faces import computed, face, floats, moving_face
from tests.metrics.mouths import babble, loudness_of, opened

SOUND = ("lip_sync", "silent_stability", "av_offset", "av_strength")


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


@pytest.mark.parametrize("entry", METRICS.values(), ids=lambda entry: entry.name)
def test_entries_have_title_unit_and_direction(entry: MetricEntry) -> None:
    assert entry.title
    assert entry.label.endswith("is better)")
    assert entry.unit in entry.label


@pytest.mark.slow
@settings(max_examples=40)
@given(st.data(), st.integers(1, 6), st.integers(0, 9))
def test_metrics_are_finite_or_nan_and_equal_in_parts(data: st.DataObject, frames: int, seed: int) -> None:
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
def test_clips_of_different_lengths_are_refused(entry: MetricEntry) -> None:
    kind = "face" if entry.compares == "frames" else "moving"
    metric = entry.make()
    with pytest.raises((ValueError, RuntimeError)):  # noqa: PT012 - metrics of a whole clip compare at its end
        metric.update(inputs(kind, 5, 0), inputs(kind, 4, 0))
        metric.compute()


def test_equal_clips_have_the_best_value() -> None:
    best = {"psnr": CAP_DB, "ssim": 1, "opening": 1, "spread": 1, "paper_psnr": CAP_DB, "paper_ssim": 1}
    for entry in MINE:
        if entry.real:
            same = inputs("face" if entry.compares == "frames" else "moving", 30, 0)
            metric = entry.make()
            metric.update(same, same)
            assert float(metric.compute()) == pytest.approx(best.get(entry.name, 0)), entry.name


@pytest.mark.parametrize("name", SOUND)
def test_metrics_of_sound_need_a_face_and_sound(name: str) -> None:
    faceless = opened(np.full(75, np.nan))
    assert np.isnan(computed(name, faceless, loudness_of(babble(75))))
    if name != "silent_stability":  # all of it is silence
        assert np.isnan(computed(name, opened(babble(75)), np.zeros(75, np.float32)))
    assert np.isnan(computed(name, opened(babble(1)), np.ones(1, np.float32)))
    assert np.isnan(float(METRICS[name].make().compute()))


@given(
    st.lists(st.one_of(st.floats(0, 1, width=32), st.just(float("nan"))), min_size=2, max_size=80), st.integers(0, 99)
)
def test_metrics_of_sound_are_finite_or_nan(opening: list[float], seed: int) -> None:
    loudness = np.random.default_rng(seed).choice([0, 1e-5, 0.01, 0.5], len(opening)).astype(np.float32)
    for name in SOUND:
        assert not np.isinf(computed(name, opened(np.array(opening)), loudness))


def test_metrics_of_sound_are_equal_in_parts() -> None:
    points, loudness = torch.from_numpy(opened(babble(75))), torch.from_numpy(loudness_of(babble(75, seed=1)))
    for name in SOUND:
        whole, parts = METRICS[name].make(), METRICS[name].make()
        whole.update(points, loudness)
        for part in (slice(0, 20), slice(20, 75)):
            parts.update(points[part], loudness[part])
        assert float(whole.compute()) == float(parts.compute())
