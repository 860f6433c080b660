import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from skimage.transform import SimilarityTransform

from pipeline.landmarks.similarity import apply_similarity, fit_similarity, invert_similarity

seeds = st.integers(0, 2**32 - 1)


@given(seeds)
def test_equals_skimage(seed: int) -> None:
    draw = np.random.default_rng(seed)
    source, target = draw.standard_normal((13, 2)) * 50, draw.standard_normal((13, 2)) * 20
    # skimage's estimate may mirror, ours never does. Compare points that need no mirroring.
    target += source @ [[0.9, 0.4], [-0.4, 0.9]]
    reference = SimilarityTransform.from_estimate(source, target)
    np.testing.assert_allclose(fit_similarity(source, target), reference.params[:2], atol=1e-8)


@given(seeds, st.floats(0.1, 10), st.floats(-3.1, 3.1))
def test_finds_the_transform_and_its_inverse(seed: int, scale: float, angle: float) -> None:
    draw = np.random.default_rng(seed)
    points = draw.standard_normal((68, 2))
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    true = np.column_stack([linear, draw.standard_normal(2)])
    fitted = fit_similarity(points, apply_similarity(true, points))
    np.testing.assert_allclose(fitted, true, atol=1e-9)
    back = apply_similarity(invert_similarity(fitted), apply_similarity(fitted, points))
    np.testing.assert_allclose(back, points, atol=1e-9)
