"""Head motion in a photograph: amount, place and smoothness."""

from pathlib import Path

import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.faces.crop import SIZE
from pipeline.faces.detect import detect_faces
from pipeline.faces.shape_predictor import predict_landmarks
from pipeline.inference.compositing.photograph import Photograph
from pipeline.inference.compositing.sway import FAR, RATES, SHIFT, TURN, Sway
from pipeline.inference.inputs import read_reference
from pipeline.inference.settings import Settings
from pipeline.inference.talking_head import TalkingHead
from pipeline.inference.video import generate_video
from pipeline.landmarks.points import INNER_LIPS
from pipeline.landmarks.similarity import fit_similarity
from pipeline.media import read_audio, read_frames
from pipeline.runtime.clock import RATE, SAMPLES_PER_FRAME
from tests.inference.drawn_face import one_frame

Image = NDArray[np.uint8]


@pytest.fixture(scope="module")
def head() -> TalkingHead:
    """The models that ship with the project."""
    return TalkingHead.from_pretrained()


@pytest.fixture(scope="module")
def whole(photograph: Image, head: TalkingHead) -> Photograph:
    return Photograph(photograph, read_reference(photograph, head.preprocessing))


@settings(max_examples=60)
@given(seed=st.integers(0, 2**31), number=st.integers(0, 100_000))
def test_motion_is_small_and_smooth(whole: Photograph, seed: int, number: int) -> None:
    sway = Sway(whole, seed)
    here, next_one = np.array(sway.at(number)), np.array(sway.at(number + 1))
    most = np.array([TURN, SHIFT * sway.side, SHIFT * sway.side])
    assert (np.abs(here) <= most).all()
    assert (np.abs(next_one - here) <= most * np.pi * RATES.max() / 25).all()
    assert sway.at(0) == (0, 0, 0)


def test_the_face_moves_and_the_rest_does_not(whole: Photograph) -> None:
    sway = Sway(whole, 3)
    frames = list(sway.moved(iter([whole.picture_HWC] * 60)))
    np.testing.assert_array_equal(frames[0], whole.picture_HWC)
    number = int(np.argmax([abs(sway.at(frame)[1]) for frame in range(60)]))
    boxes = [detect_faces(frames[frame])[:1] for frame in (0, number)]
    before, after = (predict_landmarks([frames[one]], box)[0] for one, box in zip((0, number), boxes, strict=True))
    found = fit_similarity(before, after)
    turn, right, down = sway.at(number)
    middle = np.array([*sway.middle, 1])
    np.testing.assert_allclose(found @ middle - sway.middle, (right, down), atol=0.6)
    assert np.degrees(np.arctan2(found[0, 1], found[0, 0])) == pytest.approx(turn, abs=0.4)

    rows, columns = np.mgrid[: whole.size[1], : whole.size[0]]
    outside = np.hypot(columns - sway.middle[0], rows - sway.middle[1]) > FAR * sway.side + 2
    assert outside.any()
    np.testing.assert_array_equal(frames[number][outside], whole.picture_HWC[outside])


def test_the_centre_of_the_crop_is_that_of_the_face(whole: Photograph) -> None:
    """A mouth that opens there shows what is painted there."""
    middle, side = whole.face
    white = np.zeros((SIZE, SIZE, 3), np.uint8)
    white[63:65, 63:65] = 255
    points, turn = whole.moved.reference.points_68x2.copy(), np.arange(8) * np.pi / 4 + np.pi
    points[INNER_LIPS] = (SIZE - 1) / 2 + np.stack([12 * np.cos(turn), 12 * np.sin(turn)], axis=1)
    (frame,) = whole.frames([one_frame(whole.moved.reference, white, points)])
    left, top = (middle - 8).astype(int)
    shown = frame[top : top + 17, left : left + 17].astype(float).sum(axis=2)
    rows, columns = np.nonzero(shown > 0.9 * shown.max())
    np.testing.assert_allclose((columns.mean() + left, rows.mean() + top), middle, atol=0.7)
    assert side == pytest.approx(SIZE / np.hypot(*whole.moved.onto_2x3[:, 0]))


@pytest.mark.slow
def test_videos_with_and_without_motion(head: TalkingHead, tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    soundfile.write(tmp_path / "speech.wav", read_audio(root / "docs/speech.wav")[: 41 * SAMPLES_PER_FRAME], RATE)
    given = root / "docs/pictures/face.jpg", tmp_path / "speech.wav"
    for name, sway, seed in (("still", False, 0), ("one", True, 0), ("same", True, 0), ("two", True, 1)):
        generate_video(head, *given, tmp_path / f"{name}.mp4", Settings(sway=sway, seed=seed, blink=False))
    names = ("still", "one", "two")
    still, one, two = (np.stack(list(read_frames(tmp_path / f"{name}.mp4"))).astype(int) for name in names)
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "same.mp4").read_bytes()
    coding = np.abs(one[0] - still[0]).mean()
    assert coding < 1
    assert np.abs(one[40] - still[40]).mean() > 2 * coding
    assert np.abs(one[40] - two[40]).mean() > 2 * coding
