"""The whole picture with a face that speaks: changed pixels, position and seams."""

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
from pipeline.inference.compositing.pixels import warped
from pipeline.inference.generator import Generator
from pipeline.inference.inputs import read_reference
from pipeline.inference.settings import Settings
from pipeline.inference.talking_head import TalkingHead
from pipeline.media.picture import read_picture
from pipeline.preprocessing.base import Reference
from pipeline.speech.sound import Sound
from tests.inference.drawn_face import GREEN, one_frame, plain

Image = NDArray[np.uint8]


@pytest.fixture(scope="module")
def head() -> TalkingHead:
    """The models that ship with the project."""
    return TalkingHead.from_pretrained()


Find = Callable[[Image], Reference]


@pytest.fixture(scope="module")
def find(head: TalkingHead) -> Find:
    return lambda picture: read_reference(picture, head.preprocessing)


def fade_in(whole: Photograph) -> NDArray[np.float32]:
    """Return how far each pixel of the photograph's window may move, 0 to 1."""
    return warped(whole.fade_HW, whole.window.seen_from(whole.moved.onto_2x3), whole.window.size)


def shown(whole: Photograph, paint: Image, points: NDArray[np.float32]) -> Image:
    (frame,) = whole.frames([one_frame(whole.moved.reference, paint, points)])
    return frame


def speaking(reference: Reference) -> NDArray[np.float32]:
    """Return the points of the face when its mouth opens and its jaw drops."""
    points = reference.points_68x2.copy()
    points[[*range(3, 14), *range(55, 60), *range(65, 68)]] += np.array([2, 9], np.float32)
    return points


def test_pixels_that_do_not_move_are_the_photograph_s(photograph: Image, find: Find) -> None:
    reference = find(photograph)
    whole, points, green = Photograph(photograph, reference), speaking(reference), plain(GREEN)
    nothing = one_frame(reference, green, points, np.zeros((SIZE, SIZE), np.float32))
    np.testing.assert_array_equal(next(whole.frames([nothing])), photograph)
    frame = shown(whole, green, points)
    outside = np.ones(photograph.shape[:2], bool)
    outside[whole.window.part] = fade_in(whole) == 0
    np.testing.assert_array_equal(frame[outside], photograph[outside])
    x, y = whole.points(points[None], 0, reference)[0, [62, 66]].mean(axis=0).astype(int)
    np.testing.assert_array_equal(frame[y, x], GREEN)
    assert (frame[~outside] != photograph[~outside]).any(axis=1).mean() > 0.5
    assert 0.05 < outside.mean() < 0.98


def test_only_the_part_that_moves_changes(photograph: Image, find: Find) -> None:
    reference = find(photograph)
    whole = Photograph(photograph, reference)
    share = np.zeros((SIZE, SIZE), np.float32)
    share[70:100, 45:85] = 0.8
    (frame,) = whole.frames([one_frame(reference, plain(GREEN), speaking(reference), share)])
    still = np.ones(photograph.shape[:2], bool)
    onto_2x3 = whole.window.seen_from(whole.moved.onto_2x3)
    still[whole.window.part] = warped(share, onto_2x3, whole.window.size) == 0
    np.testing.assert_array_equal(frame[still], photograph[still])
    assert (frame[~still] != photograph[~still]).any()


def test_the_crop_returns_to_its_place(photograph: Image, find: Find) -> None:
    """Painting the crop itself changes only details of the open mouth, which 128 pixels cannot show."""
    reference = find(photograph)
    whole = Photograph(photograph, reference)
    frame, mouth = shown(whole, reference.image_HWC, reference.points_68x2), whole.moved.own_inside_HW > 0
    assert 100 < mouth.sum() < 2000
    np.testing.assert_array_equal(frame[~mouth], photograph[~mouth])
    apart = np.abs(frame[mouth].astype(int) - photograph[mouth]).mean()
    moved = np.abs(np.roll(frame, 2, axis=1)[mouth].astype(int) - photograph[mouth]).mean()
    assert 0 < apart < 6
    assert apart < 0.4 * moved
    boxes = detect_faces(frame)[:1]
    (points,) = predict_landmarks([frame], boxes)
    assert reference.choice is not None
    assert np.abs(points - reference.choice.points_68x2).mean() < 0.5


def edge_gradient(image: Image, mask_HW: NDArray[np.float32]) -> float:
    """Return the mean gradient at the steepest tenth of the mask."""
    slope = np.hypot(cv2.Sobel(mask_HW, cv2.CV_32F, 1, 0), cv2.Sobel(mask_HW, cv2.CV_32F, 0, 1))
    edge = slope >= np.quantile(slope[slope > 0], 0.9)
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return float(np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))[edge].mean())


@pytest.mark.slow
@pytest.mark.parametrize("number", range(6))
def test_no_seam_is_visible(corpora: Path, head: TalkingHead, find: Find, number: int) -> None:
    """Where the movement fades the gradient is at most 1.1 times the photograph's, in real portraits that speak."""
    picture = read_picture(sorted((corpora / "portraits").glob("*.jpg"))[20 * number])
    reference = find(picture)
    whole = Photograph(picture, reference)
    part, fade_HW = whole.window.part, fade_in(whole)
    own = edge_gradient(whole.picture_HWC[part], fade_HW)
    loud = (np.random.default_rng(number).standard_normal(16000) * 4000).astype(np.int16)
    windows = head.preprocessing.windows(Sound([loud]))
    for frame in whole.frames(head.paint(reference, head.landmarks(reference, windows), spoken=True)):
        assert edge_gradient(frame[part], fade_HW) <= 1.1 * own


def test_a_seam_would_be_detected(photograph: Image, find: Find) -> None:
    """The same measure without fading."""
    whole = Photograph(photograph, find(photograph))
    whole.fade_HW = (whole.fade_HW > 0.5).astype(np.float32)
    fade_HW = fade_in(whole)
    frame = shown(whole, plain((255, 255, 255)), whole.moved.reference.points_68x2 + np.array([6, 9], np.float32))
    part = whole.window.part
    assert edge_gradient(frame[part], fade_HW) > 1.1 * edge_gradient(photograph[part], fade_HW)


def test_a_scaled_down_picture_is_logged(
    head: TalkingHead, photograph: Image, caplog: pytest.LogCaptureFixture
) -> None:
    picture = np.asarray(cv2.resize(photograph, (2400, 2400)), np.uint8)
    assert Generator(head, picture, Settings(blink=False)).view.size == (MAX_SIDE, MAX_SIDE)
    said = "The picture is 2400 pixels wide and 2400 high, and the video 1920 and 1920."
    assert caplog.messages.count(said) == 1


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
    frame = shown(whole, plain((90, 90, 90)), speaking(reference))
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
