"""The crop shows the whole face, steadily, at the place of its points."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.faces.align import align
from pipeline.faces.crop import (
    CROP,
    SIZE,
    crop_face,
    crop_geometry,
    decode_jpeg,
    encode_jpeg,
    onto_crop,
    rescale,
    to_crop,
)
from pipeline.faces.detect import detect_faces
from pipeline.faces.shape_predictor import predict_landmarks
from pipeline.faces.track import track_face
from pipeline.landmarks.points import STABLE
from pipeline.media import read_frames

Image = NDArray[np.uint8]


def points_of(picture: Image) -> NDArray[np.float32]:
    return np.asarray(predict_landmarks([picture], detect_faces(picture, 1)[:1])[0])


def test_the_whole_face_is_inside_with_the_chin(photograph: Image) -> None:
    points = points_of(photograph)
    transform = align(points[None], per_frame=True, smoothing=0)
    inside = to_crop(points[None], transform)[0]
    assert inside.min() > 4
    assert inside.max() < SIZE - 4
    np.testing.assert_allclose(inside[STABLE].mean(axis=0), np.mean(CROP.points, axis=0), atol=1e-3)


def test_points_detected_in_the_crop_equal_transformed_points(photograph: Image) -> None:
    points = points_of(photograph)
    transform = align(points[None], per_frame=True, smoothing=0)
    crop = crop_face(photograph, transform[0])
    assert crop.shape == (SIZE, SIZE, 3)
    expected = to_crop(points[None], transform)[0]
    assert np.linalg.norm(points_of(crop) - expected, axis=1).mean() < 1.5


@pytest.mark.parametrize("speaker", ["s1/bbaf3s.mpg", "s31/bgiq6p.mpg"])
def test_a_real_clip_is_steady(corpora: Path, speaker: str) -> None:
    """A clip has one scale, and smoothed crops shake less than crops that are aligned frame by frame."""
    frames = list(read_frames(corpora / "grid" / speaker))
    points = track_face(frames, 15).points_T68x2
    smooth = align(points, per_frame=False, smoothing=0.2)
    single = align(points, per_frame=True, smoothing=0.2)
    scales = np.hypot(smooth[:, 0, 0], smooth[:, 1, 0])
    assert np.ptp(scales) < 1e-5

    def shake(transforms: NDArray[np.float32]) -> float:
        corners = np.array([[[100.0, 100.0], [260.0, 100.0], [180.0, 220.0]]] * len(frames), np.float32)
        return float(np.linalg.norm(np.diff(to_crop(corners, transforms), n=2, axis=0), axis=2).mean())

    assert shake(smooth) < 0.2 * shake(single)
    assert (to_crop(points, smooth) > 0).all()
    assert (to_crop(points, smooth) < SIZE).all()


def test_blinking_does_not_zoom() -> None:
    """The alignment does not use the lids."""
    points = np.repeat(np.random.default_rng(0).normal(64, 20, (1, 68, 2)), 50, axis=0).astype(np.float32)
    blinking = points.copy()
    blinking[20:24, [37, 38, 43, 44], 1] += 5
    for per_frame in (True, False):
        np.testing.assert_array_equal(
            align(points, per_frame=per_frame, smoothing=0.2), align(blinking, per_frame=per_frame, smoothing=0.2)
        )


def test_strong_shrinking_does_not_alias() -> None:
    """A fine chequerboard becomes grey, not a moire of black and white."""
    board = (np.indices((2048, 2048)).sum(axis=0) % 2 * 255).astype(np.uint8)
    transform = np.array([[1 / 16, 0, 0], [0, 1 / 16, 0]], np.float32)
    crop = crop_face(np.repeat(board[:, :, None], 3, axis=2), transform)
    assert np.abs(crop.astype(float) - 127.5).max() < 3


def test_crop_equals_opencv_area_average() -> None:
    smooth = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (512, 512, 3)).astype(np.uint8), (0, 0), 8)
    transform = np.array([[0.25, 0, -0.375], [0, 0.25, -0.375]], np.float32)  # pixel centres onto pixel centres
    expected = cv2.resize(smooth, (128, 128), interpolation=cv2.INTER_AREA)
    assert np.abs(crop_face(np.asarray(smooth, np.uint8), transform).astype(int) - expected)[2:-2, 2:-2].max() <= 2


def test_a_larger_crop_shows_the_same_area(photograph: Image) -> None:
    points = points_of(photograph)[None]
    small = align(points, per_frame=True, smoothing=0)
    large = onto_crop(small, 256)
    np.testing.assert_allclose(large, align(points, per_frame=True, smoothing=0, crop=crop_geometry(256)), atol=1e-4)
    crops = crop_face(photograph, small[0]), crop_face(photograph, large[0], 256)
    halved = cv2.resize(crops[1], (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    assert np.abs(halved.astype(int) - crops[0]).mean() < 2
    # The corners meet, so pixel 0 of the small crop lies between pixels 0 and 1 of the large crop.
    np.testing.assert_array_equal(rescale(np.array([-0.5, 0.0, 127.5]), SIZE, 256), [-0.5, 0.5, 255.5])
    np.testing.assert_allclose(to_crop(points, large), rescale(to_crop(points, small), SIZE, 256), atol=2**-8)


def test_the_default_size_changes_nothing(photograph: Image) -> None:
    transform = align(points_of(photograph)[None], per_frame=True, smoothing=0)
    assert crop_geometry(SIZE) == CROP
    np.testing.assert_array_equal(onto_crop(transform, SIZE), transform)
    assert onto_crop(transform, 256).dtype == np.float32


def test_jpeg_round_trip(photograph: Image) -> None:
    crop = np.ascontiguousarray(photograph[:128, 160:288])
    back = decode_jpeg(encode_jpeg(crop, 95))
    assert back.shape == crop.shape
    assert np.abs(back.astype(int) - crop).mean() < 2
    assert encode_jpeg(crop, 95) == encode_jpeg(crop, 95)
