"""Dubbing a real video."""

from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.faces.crop import CROP
from pipeline.inference.compositing.footage import Footage, put_mouth
from pipeline.inference.settings import Settings
from pipeline.inference.talking_head import TalkingHead
from pipeline.inference.tracked import track
from pipeline.inference.video import generate_video
from pipeline.landmarks.shape import mouth_opening
from pipeline.media import VideoWriter, read_frames
from pipeline.runtime.errors import PipelineError
from tests.media.pictures import count_frames

Image = NDArray[np.uint8]


@pytest.fixture(scope="module")
def footage(clip: Path) -> Footage:
    return Footage(clip, CROP, "prominent", None)


def mouths(path: Path) -> NDArray[np.float32]:
    """Return the mouths (T, 20, 2) of a video, relative to their centres, in pixels of the crop."""
    points = track(path, read_frames(path), "prominent", CROP).crop_points_T68x2[:, 48:]
    return np.asarray(points - points.mean(axis=1, keepdims=True))


def distance(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Return the landmark distance in pixels."""
    return float(np.linalg.norm(one[: len(other)] - other[: len(one)], axis=2).mean())


@pytest.mark.slow
def test_the_mouth_follows_the_new_speech(shipped: TalkingHead, corpora: Path, clip: Path, tmp_path: Path) -> None:
    """It becomes more like that of the speaker of this speech. The rest of the frames does not change."""
    said = sorted((corpora / "grid" / "s1").glob("*.mpg"))[90]
    out = tmp_path / "out.mp4"
    assert generate_video(shipped, clip, said, out)[:2] == (75, (360, 288))
    was, real, dubbed = mouths(clip), mouths(said), mouths(out)
    assert distance(dubbed, real) < 0.9 * distance(was, real)
    assert distance(dubbed, was) > 0.3
    before, after = (np.stack(list(islice(read_frames(path), 75))).astype(int) for path in (clip, out))
    for beyond in (slice(0, 60), slice(-40, None)):  # above the face and below: what encoding changes
        assert np.abs(before - after)[:, beyond].mean() < 3


def test_an_unpainted_frame_is_the_video_s(footage: Footage, shipped: TalkingHead, clip: Path) -> None:
    shot = next(footage.shots())
    landmarks_TL = shipped.preprocessing.normalize(shot.points_68x2[None], shot.points_68x2)
    (painted,) = shipped.repaint([(shot, landmarks_TL)])
    nothing = painted._replace(attention_THW=np.zeros_like(painted.attention_THW))
    (frame,) = footage.frames([nothing])
    np.testing.assert_array_equal(frame, next(read_frames(clip)))
    onto_frame = footage.points(shot.points_68x2[None], 0, shot)[0]
    assert shot.source_68x2 is not None
    assert np.abs(onto_frame - shot.source_68x2).mean() < 0.2


def test_frames_run_forwards_and_backwards_without_end(footage: Footage, clip: Path) -> None:
    frames = list(read_frames(clip))
    shown = [shot.picture_HWC for shot in islice(footage.shots(), 200)]
    order = [*range(75), *reversed(range(75)), *range(50)]
    for number, picture in zip(order, shown, strict=True):
        np.testing.assert_array_equal(picture, frames[number])


def test_the_calm_frame_has_the_most_closed_mouth(footage: Footage) -> None:
    openings = mouth_opening(footage.tracked.crop_points_T68x2)
    assert mouth_opening(footage.calm().points_68x2[None])[0] == pytest.approx(openings.min())


def test_the_mouth_is_placed_relative_to_the_nose() -> None:
    own, calm, spoken = (np.random.default_rng(seed).normal(0, 1, (68, 2)).astype(np.float32) for seed in range(3))
    asked = put_mouth(own.reshape(-1), calm.reshape(-1), spoken.reshape(-1)).reshape(68, 2)
    shift = (own[31:36] - calm[31:36]).mean(axis=0)
    np.testing.assert_allclose(asked[48:], spoken[48:] + shift, atol=1e-5)
    np.testing.assert_allclose(asked[8], spoken[8] + shift, atol=1e-5)
    np.testing.assert_array_equal(asked[17:48], own[17:48])
    np.testing.assert_allclose(asked[[0, 16]], own[[0, 16]], atol=1e-5)


def test_a_large_video_is_scaled_down(photograph: Image, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with VideoWriter(tmp_path / "large.mp4", size=(2000, 2000)) as video:
        for _ in range(2):
            video.write(np.asarray(cv2.resize(photograph, (2000, 2000)), np.uint8))
    footage = Footage(tmp_path / "large.mp4", CROP, "prominent", 2)
    assert footage.size == (1920, 1920)
    assert next(footage.shots()).picture_HWC.shape == (1920, 1920, 3)
    assert "is shown 1920 pixels wide and 1920 high" in caplog.text


@pytest.mark.slow
def test_a_video_without_a_face_is_rejected(shipped: TalkingHead, speech_file: Path, tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "grey.mp4", size=(320, 240)) as video:
        for _ in range(5):
            video.write(np.full((240, 320, 3), 127, np.uint8))
    with pytest.raises(
        PipelineError, match=r"grey\.mp4 shows a face in 0% of its frames\. Give a video that shows one face throughout"
    ):
        generate_video(shipped, tmp_path / "grey.mp4", speech_file, tmp_path / "out.mp4")
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.slow
def test_speech_may_be_longer_than_the_video(
    shipped: TalkingHead, clip: Path, speech_file: Path, tmp_path: Path
) -> None:
    short = tmp_path / "short.mp4"
    with VideoWriter(short, size=(360, 288)) as video:
        for frame in islice(read_frames(clip), 20):
            video.write(frame)
    generate_video(shipped, short, speech_file, tmp_path / "out.mp4", Settings(crop=True))
    assert count_frames(tmp_path / "out.mp4") == 75
