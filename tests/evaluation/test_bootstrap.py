import numpy as np

from pipeline.evaluation.bootstrap import interval, intervals


def test_intervals_cover_the_mean_in_95_percent() -> None:
    hits = 0
    for trial in range(200):
        values = np.random.default_rng(trial).normal(5, 1, 40)
        low, high = interval(values)
        hits += low <= 5 <= high
    assert 0.88 <= hits / 200 <= 0.99


def test_intervals_are_seeded_and_ignore_nan() -> None:
    assert interval([1.0, 2.0, 3.0]) == interval([1.0, 2.0, float("nan"), 3.0])
    assert np.isnan(interval([float("nan")])[0])


def test_a_single_clip_has_no_interval() -> None:
    assert np.isnan(interval([3.0])).all()
    assert np.isnan(interval([3.0, float("nan")])).all()


def test_strata_remove_differences_between_speakers() -> None:
    """Speakers differ by far more than their clips."""
    draw = np.random.default_rng(0)
    values = np.repeat([0.0, 10.0, 20.0], 10) + draw.normal(0, 1, 30)
    names = np.repeat(["s1", "s2", "s3"], 10).tolist()
    (low,), (high,) = intervals(values[:, None], names)
    wide_low, wide_high = interval(values)
    assert wide_high - wide_low > 5 * (high - low)
    assert low < values.mean() < high


def test_speakers_of_one_clip_form_one_stratum() -> None:
    values = np.arange(6.0)
    (low,), (high,) = intervals(values[:, None], list("abcdef"))
    assert (low, high) == interval(values)


def test_columns_share_draws_but_not_gaps() -> None:
    draw = np.random.default_rng(1)
    values = draw.normal(size=(20, 1)) + np.zeros((1, 3))
    values[3, 1] = np.nan
    values[:, 2] = np.nan
    found = intervals(values)
    np.testing.assert_allclose(found[:, 0], interval(values[:, 0]))
    assert (found[:, 0] != found[:, 1]).all()
    assert np.isnan(found[:, 2]).all()
