"""Each metric is compared with an independent computation, and measured on clips with a known defect."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.filters import laplace

from pipeline.config.params import Landmarks
from pipeline.faces.align import align
from pipeline.faces.crop import crop_face, to_crop
from pipeline.faces.quality import FACE, GREY_STEP, measure_jitter, measure_quality
from pipeline.faces.track import Track, track_face
from pipeline.landmarks.shape import frontality
from pipeline.media import read_frames

Frames = list[NDArray[np.uint8]]

LIMITS = Landmarks()


@pytest.fixture(scope="module")
def frames(corpora: Path) -> Frames:
    return list(read_frames(corpora / "grid/s1/bbaf3s.mpg", duration=29 / 25))


@pytest.fixture(scope="module")
def lrw_frames(corpora: Path) -> Frames:
    """A head turned to its left."""
    return list(read_frames(corpora / "lrw_like/lipread_mp4/CHANGE/train/CHANGE_00004.mp4"))


Faces = tuple[Track, NDArray[np.float32], NDArray[np.uint8]]


def faces_of(frames: Frames) -> Faces:
    """The track, transforms and crops of a clip, as the stage landmarks computes them."""
    track = track_face(frames, LIMITS.detect_every, LIMITS.face)
    transforms = align(track.points_T68x2, per_frame=False, smoothing=LIMITS.smoothing)
    return track, transforms, np.stack([crop_face(*pair) for pair in zip(frames, transforms, strict=True)])


def measured(
    track: Track, transforms: NDArray[np.float32], crops: NDArray[np.uint8], picture: tuple[int, ...]
) -> dict[str, float]:
    points = to_crop(track.points_T68x2, transforms)
    return measure_quality(track, points, transforms, crops, (picture[0], picture[1]), np.zeros(0, np.int16))


def metrics_of(frames: Frames) -> dict[str, float]:
    return measured(*faces_of(frames), frames[0].shape[:2])


@pytest.fixture(scope="module")
def faces(frames: Frames) -> Faces:
    return faces_of(frames)


@pytest.fixture(scope="module")
def metrics(faces: Faces) -> dict[str, float]:
    return measured(*faces, (288, 360))


def test_a_good_clip(metrics: dict[str, float]) -> None:
    assert metrics["detected"] == metrics["mouth"] == 1.0
    assert 1.5 < metrics["score"] < 3
    assert 150 < metrics["face_size"] < 200
    assert metrics["jitter"] < 0.2
    assert metrics["sharpness"] > 0.15
    assert metrics["frontal"] > 0.8


def test_score_and_detected_by_hand(faces: Faces) -> None:
    track, transforms, crops = faces
    found, scores = track.found_T.copy(), np.linspace(1, 2, 29).astype(np.float32)
    found[:9] = False
    metrics = measured(replace(track, found_T=found, scores_T=scores), transforms, crops, (288, 360))
    assert metrics["detected"] == metrics["mouth"] == pytest.approx(20 / 29)
    assert metrics["score"] == pytest.approx(scores[9:].mean())


def test_face_size_by_the_points(faces: Faces, metrics: dict[str, float]) -> None:
    """The eye distance gives the source pixels of a crop's side."""
    track, transforms, _ = faces
    source, crop = track.points_T68x2, to_crop(track.points_T68x2, transforms)
    eyes = [np.linalg.norm(points[:, 36] - points[:, 45], axis=1).mean() for points in (source, crop)]
    assert metrics["face_size"] == pytest.approx(128 * eyes[0] / eyes[1], rel=0.01)


def test_sharpness_equals_scikit_images(faces: Faces, metrics: dict[str, float]) -> None:
    def sharpness(crop: NDArray[np.uint8]) -> float:
        grey = np.round(crop @ np.array([0.299, 0.587, 0.114]))
        return float(laplace(grey, ksize=3)[FACE].var() / grey[FACE].var())

    assert metrics["sharpness"] == pytest.approx(
        np.median([sharpness(crop) for crop in faces[2][::GREY_STEP]]), rel=0.02
    )


@pytest.mark.parametrize("deviation", [0.1, 0.5, 2.0])
def test_jitter_is_the_noise_of_evenly_moving_points(deviation: float) -> None:
    random = np.random.default_rng(0)
    still = random.uniform(30, 90, (1, 13, 2)) + np.arange(400)[:, None, None] * np.array([0.7, -0.3])
    found = np.ones(400, bool)
    assert measure_jitter(still, found) == pytest.approx(0, abs=1e-9)
    noisy = still + random.normal(0, deviation, still.shape)
    assert measure_jitter(noisy, found) == pytest.approx(deviation, rel=0.05)


def test_jitter_ignores_frames_without_the_face() -> None:
    points, found = np.zeros((20, 13, 2)), np.ones(20, bool)
    points[10] = 50
    assert measure_jitter(points, found) > 5
    found[10] = False
    assert measure_jitter(points, found) == 0
    assert np.isnan(measure_jitter(points, np.arange(20) % 3 > 0))


def test_frontal_by_hand() -> None:
    points = np.zeros((3, 68, 2))
    points[:, 33, 0], points[:, 48, 0], points[:, 54, 0] = 64, [54, 60, 66], [74, 72, 90]
    assert [frontality(points[[k]]) for k in range(3)] == pytest.approx([1.0, 0.5, 0.0])
    assert frontality(points) == pytest.approx(0.5)


def test_a_turned_head_is_less_frontal(lrw_frames: Frames, metrics: dict[str, float]) -> None:
    turned = metrics_of(lrw_frames)
    assert turned["frontal"] < 0.35 < metrics["frontal"]
    assert turned["mouth"] == 1.0


def test_mouths_outside_the_picture(faces: Faces) -> None:
    """In frames 0 to 9 the mouth is at the lower border, or just far enough above it."""
    track, transforms, crops = faces
    room = 288 - 1 - track.points_T68x2[:, 48:68, 1].max(axis=1)
    pixel = 1 / np.hypot(transforms[:, 0, 0], transforms[:, 1, 0])  # of the crop, in those of the source
    for margin, share in ((8.5, 19 / 29), (9.5, 1.0)):
        shift = np.where(np.arange(29) < 10, room - margin * pixel, 0)
        points = track.points_T68x2 + np.stack([0 * shift, shift], axis=1)[:, None].astype(np.float32)
        moved = transforms.copy()
        moved[:, :, 2] -= np.einsum("fij,fj->fi", transforms[:, :, :2], np.stack([0 * shift, shift], axis=1))
        metrics = measured(replace(track, points_T68x2=points), moved, crops, (288, 360))
        assert metrics["mouth"] == pytest.approx(share)


def halved(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(frame, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)


def blurred(sigma: float) -> Callable[[NDArray[np.uint8]], NDArray[np.uint8]]:
    return lambda frame: np.asarray(cv2.GaussianBlur(frame, (0, 0), sigma), np.uint8)


def test_a_shrunken_face(frames: Frames, metrics: dict[str, float]) -> None:
    small = metrics_of([halved(frame) for frame in frames])
    assert small["face_size"] == pytest.approx(metrics["face_size"] / 2, rel=0.03)
    assert small["frontal"] == pytest.approx(metrics["frontal"], abs=0.1)


def test_blur_counts_and_darkness_does_not(frames: Frames, metrics: dict[str, float]) -> None:
    """The blurs are 0.75, 1.5 and 3 crop pixels, because the crop is smaller than the source."""
    sharp = [
        metrics["sharpness"],
        *(metrics_of([blurred(s)(frame) for frame in frames])["sharpness"] for s in (1, 2, 4)),
    ]
    assert sharp == sorted(sharp, reverse=True)
    assert sharp[1] < 0.5 * sharp[0]
    assert sharp[2] < 0.03
    assert sharp[3] < LIMITS.min_sharpness < sharp[1]
    dark = metrics_of([(frame * 0.5).astype(np.uint8) for frame in frames])
    assert dark["sharpness"] == pytest.approx(metrics["sharpness"], rel=0.15)


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_a_mouth_cut_by_the_border(frames: Frames, faces: Faces, share: float) -> None:
    """dlib still finds a mouth, squeezed into the remaining picture."""
    lips = faces[0].points_T68x2[:, 48:68, 1]
    top, bottom = lips.min(axis=1).mean(), lips.max(axis=1).mean()
    row = int(top + share * (bottom - top))
    cut = metrics_of([np.ascontiguousarray(frame[:row]) for frame in frames])
    assert cut["detected"] == 1.0
    assert cut["mouth"] < 0.2


def test_a_mouth_under_a_bar(frames: Frames, faces: Faces) -> None:
    covered = [frame.copy() for frame in frames]
    for frame, points in zip(covered, faces[0].points_T68x2, strict=True):
        (left, top), (right, bottom) = points[48:68].min(axis=0).astype(int), points[48:68].max(axis=0).astype(int)
        frame[top - 3 : bottom + 12, left - 8 : right + 8] = frame[int(points[33, 1]) + 4, int(points[33, 0])]
    hidden = metrics_of(covered)
    assert hidden["detected"] == 1.0
    assert hidden["mouth"] < 0.2


def test_noise_on_the_points(faces: Faces, metrics: dict[str, float]) -> None:
    track, transforms, crops = faces
    noise = np.random.default_rng(0).normal(0, 4, track.points_T68x2.shape).astype(np.float32)
    shaken = measured(replace(track, points_T68x2=track.points_T68x2 + noise), transforms, crops, (288, 360))
    assert shaken["jitter"] == pytest.approx(np.hypot(4 * 128 / metrics["face_size"], metrics["jitter"]), rel=0.1)
    assert shaken["jitter"] > LIMITS.max_jitter > metrics["jitter"]
