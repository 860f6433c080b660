import numpy as np

from pipeline.evaluation.bootstrap import interval


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
