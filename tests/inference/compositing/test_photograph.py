"""The face blended into the whole picture: changed pixels, position and seams."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.faces.crop import SIZE
from pipeline.faces.detect import detect_faces
from pipeline.faces.shape_predictor import predict_landmarks
from pipeline.inference.compositing.photograph import MAX_SIDE, Photograph
from pipeline.inference.inputs import read_reference
from pipeline.inference.talking_head import TalkingHead
from pipeline.media.picture import read_picture
from pipeline.preprocessing.base import Reference
from pipeline.speech.sound import Sound

Image = NDArray[np.uint8]
WHOLE = np.ones((SIZE, SIZE), np.float32)


@pytest.fixture(scope="module")
def head() -> TalkingHead:
    """The models that ship with the project."""
    return TalkingHead.from_pretrained()


Find = Callable[[Image], Reference]


@pytest.fixture(scope="module")
def find(head: TalkingHead) -> Find:
    return lambda picture: read_reference(picture, head.preprocessing)


def test_unpainted_pixels_are_the_photograph_s(photograph: Image, find: Find) -> None:
    whole = Photograph(photograph, find(photograph))
    green = np.full((SIZE, SIZE, 3), (0, 255, 0), np.uint8)
    np.testing.assert_array_equal(whole.with_paint(np.zeros_like(WHOLE), green), photograph)
    frame = whole.with_paint(WHOLE, green)
    outside = np.ones(photograph.shape[:2], bool)
    (left, top), (height, width) = whole.corner, whole.mask_HW.shape
    outside[top : top + height, left : left + width] = whole.mask_HW == 0
    np.testing.assert_array_equal(frame[outside], photograph[outside])
    np.testing.assert_array_equal(frame[top + height // 2, left + width // 2], (0, 255, 0))
    assert 0.05 < outside.mean() < 0.98


def test_the_crop_returns_to_its_place(photograph: Image, find: Find) -> None:
    """Painting the crop itself changes only details that 128 pixels cannot show."""
    reference = find(photograph)
    whole = Photograph(photograph, reference)
    frame = whole.with_paint(WHOLE, reference.image_HWC)
    (left, top), (height, width) = whole.corner, whole.mask_HW.shape
    part = (slice(top, top + height), slice(left, left + width))
    apart = np.abs(frame[part].astype(int) - photograph[part]).mean()
    moved = np.abs(np.roll(frame, 2, axis=1)[part].astype(int) - photograph[part]).mean()
    assert apart < 3
    assert apart < 0.7 * moved
    boxes = detect_faces(frame)[:1]
    (points,) = predict_landmarks([frame], boxes)
    assert reference.choice is not None
    assert np.abs(points - reference.choice.points_68x2).mean() < 1.5


def edge_gradient(image: Image, mask_HW: NDArray[np.float32]) -> float:
    """Return the mean gradient at the steepest tenth of the mask."""
    slope = np.hypot(cv2.Sobel(mask_HW, cv2.CV_32F, 1, 0), cv2.Sobel(mask_HW, cv2.CV_32F, 0, 1))
    edge = slope >= np.quantile(slope[slope > 0], 0.9)
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return float(np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))[edge].mean())


@pytest.mark.slow
@pytest.mark.parametrize("number", range(6))
def test_no_seam_is_visible(corpora: Path, head: TalkingHead, find: Find, number: int) -> None:
    """At the mask's edge the gradient is at most 1.1 times the photograph's, in real portraits that speak."""
    picture = read_picture(sorted((corpora / "portraits").glob("*.jpg"))[20 * number])
    reference = find(picture)
    whole = Photograph(picture, reference)
    (left, top), (height, width) = whole.corner, whole.mask_HW.shape
    part = (slice(top, top + height), slice(left, left + width))
    own = edge_gradient(whole.picture_HWC[part], whole.mask_HW)
    loud = (np.random.default_rng(number).standard_normal(16000) * 4000).astype(np.int16)
    windows = head.preprocessing.windows(Sound([loud]))
    for frame in whole.frames(head.paint(reference, head.landmarks(reference, windows), spoken=True)):
        assert edge_gradient(frame[part], whole.mask_HW) <= 1.1 * own


def test_a_seam_would_be_detected(photograph: Image, find: Find) -> None:
    """The same measure without fading."""
    whole = Photograph(photograph, find(photograph))
    whole.mask_HW = (whole.mask_HW > 0.5).astype(np.float32)
    (left, top), (height, width) = whole.corner, whole.mask_HW.shape
    part = (slice(top, top + height), slice(left, left + width))
    frame = whole.with_paint(WHOLE, np.full((SIZE, SIZE, 3), 255, np.uint8))
    assert edge_gradient(frame[part], whole.mask_HW) > 1.1 * edge_gradient(photograph[part], whole.mask_HW)


def test_a_scaled_down_picture_is_logged(photograph: Image, find: Find, caplog: pytest.LogCaptureFixture) -> None:
    picture = np.asarray(cv2.resize(photograph, (2400, 2400)), np.uint8)
    caplog.clear()
    whole = Photograph(picture, find(picture))
    assert whole.size == (MAX_SIDE, MAX_SIDE)
    assert "The picture is 2400 pixels wide and 2400 high, and the video 1920 and 1920." in caplog.messages


@settings(max_examples=25)
@given(
    width=st.integers(2, 2600),
    height=st.integers(2, 2600),
    x=st.floats(-0.5, 1.5),
    y=st.floats(-0.5, 1.5),
    scale=st.floats(0.05, 4),
    angle=st.floats(-3, 3),
)
def test_the_face_may_be_anywhere(
    width: int, height: int, x: float, y: float, scale: float, angle: float, reference: Reference
) -> None:
    """Also beyond the edge, tilted, tiny, or larger than the picture. Sides are even and at most 1920."""
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = (reference.points_68x2 - SIZE / 2) @ turn.T + (x * width, y * height)
    picture = np.full((height, width, 3), 90, np.uint8)
    whole = Photograph(picture, replace(reference, source_68x2=points.astype(np.float32)))
    frame = whole.with_paint(WHOLE, np.full((SIZE, SIZE, 3), 90, np.uint8))
    assert frame.shape == (*whole.size[::-1], 3)
    assert whole.size[0] % 2 == whole.size[1] % 2 == 0
    assert max(whole.size) <= MAX_SIDE
    assert np.abs(frame.astype(int) - 90).max() <= 1
    if max(width, height) <= MAX_SIDE:
        assert whole.size == (max(2, width // 2 * 2), max(2, height // 2 * 2))
    else:
        assert whole.size[0] / whole.size[1] == pytest.approx(width / height, rel=0.1) or min(whole.size) < 20


@pytest.fixture(scope="module")
def reference(head: TalkingHead) -> Reference:
    return read_reference(read_picture(Path("docs/pictures/face.jpg").absolute()), head.preprocessing)
