"""Mouths count as better only by more than noise."""

import numpy as np
import pytest

from pipeline.faces.crop import SIZE
from pipeline.personalize.mouths import Mouths


def mouths(lmd: float, opening: float = 0.5, noise: float = 0.0, seed: int = 0, clips: int = 2) -> Mouths:
    random = np.random.default_rng(seed)
    distances = tuple(lmd + noise * np.repeat(random.standard_normal(5), 15) for _ in range(clips))
    return Mouths(distances, (opening,) * clips)


def test_lower_lmd_is_better() -> None:
    assert mouths(0.8).better_than(mouths(1.0))
    assert not mouths(1.0).better_than(mouths(0.8))
    assert not mouths(1.0).better_than(mouths(1.0))


def test_a_gain_within_noise_is_not_better() -> None:
    assert not mouths(0.95, noise=0.2, seed=1).better_than(mouths(1.0, noise=0.2, seed=2))
    assert not mouths(0.99).better_than(mouths(1.0))


def test_a_mouth_that_opens_at_the_wrong_time_is_not_better() -> None:
    assert not mouths(0.8, opening=0.3).better_than(mouths(1.0, opening=0.5))


def test_lost_faces_are_not_better() -> None:
    whole, gone = mouths(1.0), mouths(0.5)
    gone.distances[0][:30] = np.nan
    assert not gone.better_than(whole)
    nothing = Mouths((np.full(75, np.nan),), (0.0,))
    assert nothing.lmd == SIZE
    assert not nothing.better_than(mouths(1.0, clips=1))


def test_the_mean_is_over_clips() -> None:
    both = Mouths((np.full(10, 1.0), np.full(90, 2.0)), (0.2, 0.4))
    assert both.lmd == pytest.approx(1.5)
    assert both.opening == pytest.approx(0.3)
