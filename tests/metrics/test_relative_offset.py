import numpy as np
import pytest

from benchmarks.closed_lips import Real
from pipeline.metrics import METRICS
from pipeline.metrics.offset import relative_offset
from tests.metrics.faces import computed
from tests.metrics.mouths import babble, opened


@pytest.mark.parametrize("lag", [-7, -1, 0, 3, 12])
def test_lips_that_come_later_are_found(lag: int) -> None:
    opening = np.concatenate([np.full(15, 0.02), babble(75), np.full(15, 0.02)])
    fake, real = opened(np.roll(opening, lag)), opened(opening)
    assert relative_offset(fake, real) == lag
    assert computed("relative_offset", fake, real) == lag


def test_real_lips_with_noise_are_found_to_the_frame(real_clips: list[Real]) -> None:
    draw = np.random.default_rng(0)
    for clip in real_clips:
        points = clip.points_T68x2
        noisy = points + draw.normal(0, 0.3, points.shape)
        assert relative_offset(noisy[:-4], points[4:]) == pytest.approx(4, abs=1)  # frame t shows what is real at t - 4
        assert relative_offset(noisy[4:], points[:-4]) == pytest.approx(-4, abs=1)


def test_nothing_is_told_of_lips_that_do_not_go_together() -> None:
    real = opened(babble(75))
    others = [relative_offset(opened(babble(75, seed)), real) for seed in range(1, 9)]
    assert np.isnan(others).sum() >= 6


def test_nothing_is_told_of_still_short_and_lost_mouths() -> None:
    real = opened(babble(75))
    still = np.repeat(opened(np.full(1, 0.1)), 75, axis=0)
    for fake in (still, np.full_like(real, np.nan)):
        assert np.isnan(relative_offset(fake, real))
        assert np.isnan(relative_offset(real, fake))
    assert np.isnan(relative_offset(real[:20], real[:20]))


def test_the_direction_is_that_of_the_other_offsets() -> None:
    entry = METRICS["relative_offset"]
    assert (entry.unit, entry.nearest) == (METRICS["av_offset"].unit, "0")
