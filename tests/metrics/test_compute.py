"""What is observed of a clip, and all metrics of a clip."""

import cv2
import numpy as np
import pytest

from pipeline.faces.align import align
from pipeline.faces.crop import crop_face, onto_crop
from pipeline.faces.detect import detect_faces
from pipeline.faces.shape_predictor import predict_landmarks
from pipeline.metrics import METRICS
from pipeline.metrics.compute import compute_metrics
from pipeline.metrics.observe import VideoFeatures, find_landmarks, hear, observe
from pipeline.metrics.pixels import CAP_DB
from tests.metrics.faces import Image, face


@pytest.fixture(scope="module")
def crop(photograph: Image) -> Image:
    return crop_of(photograph, 128)


def crop_of(photograph: Image, size: int) -> Image:
    points = predict_landmarks([photograph], detect_faces(photograph, 1)[:1])[0]
    return crop_face(photograph, onto_crop(align(points[None], per_frame=True, smoothing=0), size)[0], size)


def test_landmarks_are_found_in_faces_only(crop: Image) -> None:
    points = find_landmarks(np.stack([crop, np.zeros_like(crop)]))
    assert np.isfinite(points[0]).all()
    assert np.isnan(points[1]).all()


@pytest.mark.parametrize("zoom", [1.0, 0.9, 0.8, 0.7, 0.5])
def test_fast_search_equals_the_whole_search(crop: Image, zoom: float) -> None:
    move = np.array([[zoom, 0, 64 * (1 - zoom)], [0, zoom, 64 * (1 - zoom)]])
    smaller = np.asarray(cv2.warpAffine(crop, move, (128, 128), borderMode=cv2.BORDER_REPLICATE), np.uint8)
    expected = predict_landmarks([smaller], detect_faces(smaller)[:1])
    np.testing.assert_array_equal(find_landmarks(smaller[None]), expected)


def test_still_pictures_are_searched_once(crop: Image) -> None:
    moving = np.stack([crop] * 30)
    moving[-1, 0, 0] ^= 1
    still, other = observe(np.stack([crop] * 30)), observe(moving)
    np.testing.assert_array_equal(still.points_T68x2, other.points_T68x2)
    assert len(still.identity_Nx128) == 1
    assert len(observe(moving).identity_Nx128) == 1
    assert len(observe(np.concatenate([moving] * 3)).identity_Nx128) == 2


def test_sound_fits_the_frames_and_has_levels() -> None:
    tone = np.full(640 * 2 + 320, 16384, np.int16)
    for samples, expected in ((tone, [0.5, 0.5, 0.5 * np.sqrt(0.5), 0]), (np.tile(tone, 4), [0.5] * 4)):
        heard = hear(samples, 4)
        assert heard.samples_N.shape == (4 * 640,)
        np.testing.assert_allclose(heard.loudness_T, expected, atol=1e-6)


def test_distances_do_not_depend_on_the_size_of_the_frames(photograph: Image) -> None:
    """Between the same two pictures: the face, and the face with its lower half moved down."""
    distances = []
    for size in (128, 256):
        real = crop_of(photograph, size)
        fake = real.copy()
        fake[size // 2 + size // 16 :] = real[size // 2 : -size // 16]
        seen = [observe(np.stack([one, one])) for one in (real, fake)]
        assert 60 < np.ptp(seen[0].points_T68x2[0, :, 0]) < 128
        distances.append(compute_metrics(seen[0], seen[1]).values)
    small, large = distances
    assert small["f_lmd"] > 1
    assert large["f_lmd"] == pytest.approx(small["f_lmd"], rel=0.2)
    assert large["psnr"] == pytest.approx(small["psnr"], abs=1)
    assert large["lost"] == 0


def test_perfect_copy_and_grey_frames(crop: Image) -> None:
    real = observe(np.stack([crop] * 3))
    same = compute_metrics(real, real).values
    assert same["ssim"] == pytest.approx(1)
    assert same["lmd"] == 0
    assert same["lost"] == 0
    worse = compute_metrics(real, observe(np.full_like(real.frames_THWC, 127)))
    assert worse.values["lost"] == 1
    assert worse.absent["lmd"] == "no face is found in the pictures"
    assert worse.values["psnr"] < 20


def test_every_metric_has_a_finite_value_or_a_reason(crop: Image) -> None:
    real = observe(np.stack([crop] * 3))
    heard = hear(np.zeros(1000, np.int16), 3)
    alone = compute_metrics(None, real)
    for measured in (alone, compute_metrics(real, real), compute_metrics(real, real, real.identity_Nx128[0], heard)):
        assert set(measured.values) | set(measured.absent) == set(METRICS)
        assert not set(measured.values) & set(measured.absent)
        assert np.isfinite(list(measured.values.values())).all()
        assert all(measured.absent.values())
    assert alone.absent["psnr"] == "there is no real clip"
    assert {name for name in alone.values if METRICS[name].real} == set()


def test_only_equal_frames_reach_the_cap_of_psnr(crop: Image) -> None:
    """`static` on a clip of one picture: PSNR is infinite by its definition, which JSON has no number for."""
    real = np.stack([crop] * 3)
    nearly, partly = real.copy(), real.copy()
    nearly[:, 0, 0, 0] ^= 1
    partly[1:, 0, 0, 0] ^= 1
    seen, *others = (observe(frames) for frames in (real, nearly, partly))
    assert compute_metrics(seen, seen).values["psnr"] == CAP_DB
    one, two = (compute_metrics(seen, other).values["psnr"] for other in others)
    assert one == pytest.approx(95.05, abs=0.01)
    assert two == pytest.approx((CAP_DB + 2 * 95.05) / 3, abs=0.01)


def test_both_videos_hide_pixels_but_sharpness_uses_all() -> None:
    """Of a clip whose real video ends at the right and whose generated one ends at the bottom."""
    levels = np.stack([face()] * 3)
    points, identity = np.full((3, 68, 2), np.nan, np.float32), np.zeros((1, 128), np.float32)
    right, bottom = np.ones((2, 3, 128, 128), bool)
    right[:, :, 100:] = False
    bottom[:, 90:] = False
    worse = levels.copy()
    worse[:, 90:] = 0
    worse[:, :, 100:] = 255
    hidden = compute_metrics(
        VideoFeatures(levels, points, identity, shown_THW=right),
        VideoFeatures(worse, points, identity, shown_THW=bottom),
    )
    whole = compute_metrics(VideoFeatures(levels, points, identity), VideoFeatures(worse, points, identity))
    assert hidden.values["psnr"] == CAP_DB
    assert hidden.values["ssim"] == pytest.approx(1)
    assert whole.values["psnr"] < 20
    assert hidden.values["laplacian"] == whole.values["laplacian"]
