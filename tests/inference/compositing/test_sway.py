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
from pipeline.landmarks.similarity import fit_similarity
from pipeline.media import read_audio, read_frames
from pipeline.runtime.clock import RATE, SAMPLES_PER_FRAME

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


def test_the_centre_of_the_crop_is_that_of_the_face(whole: Photograph, photograph: Image) -> None:
    middle, side = whole.face
    green = np.zeros((SIZE, SIZE, 3), np.uint8)
    green[63:65, 63:65] = 255
    shown = whole.with_paint(np.ones((SIZE, SIZE), np.float32), green).astype(float).sum(axis=2)
    (left, top), (height, width) = whole.corner, whole.mask_HW.shape
    quarter = slice(top + height // 4, top + 3 * height // 4), slice(left + width // 4, left + 3 * width // 4)
    brightest = np.unravel_index(shown[quarter].argmax(), shown[quarter].shape)
    found = np.array(brightest[::-1]) + np.array([left + width // 4, top + height // 4])
    np.testing.assert_allclose(found, middle, atol=1.5)
    assert side == pytest.approx(SIZE / np.hypot(*whole.onto_2x3[:, 0]))


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
