"""Speaking mouths are told from still pictures, and matching sound from sound of another time."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.config.params import Landmarks
from pipeline.faces.align import align
from pipeline.faces.crop import to_crop
from pipeline.faces.lips import measure_movement, measure_sync, speech_level
from pipeline.faces.track import track_face
from pipeline.media import read_audio, read_frames

Image = NDArray[np.uint8]
Points = NDArray[np.float32]
LIMITS = Landmarks()
ALL = np.ones(75, bool)


def points_of(frames: list[Image]) -> Points:
    """In pixels of the crop."""
    track = track_face(frames, LIMITS.detect_every)
    transforms = align(track.points_T68x2, per_frame=False, smoothing=LIMITS.smoothing)
    return to_crop(track.points_T68x2, transforms)


def turned(picture: Image, scale: float, angle: float, x: float, y: float) -> Image:
    height, width = picture.shape[:2]
    transform = cv2.getRotationMatrix2D((width / 2, height / 2), angle, scale)
    transform[:, 2] += np.array([x, y])
    return np.asarray(cv2.warpAffine(picture, transform, (width, height), borderMode=cv2.BORDER_REFLECT), np.uint8)


def same(picture: Image, number: int) -> Image:
    return picture


def zoomed(picture: Image, number: int) -> Image:
    return turned(picture, 1 + number / 250, 0, number / 3, number / 9)


def shaken(picture: Image, number: int) -> Image:
    x, y, angle = np.sin(number / np.array([3.1, 4.3, 5.7]))
    return turned(picture, 1 + 0.02 * np.sin(number / 6), 2 * angle, 6 * x, 6 * y)


def noisy(picture: Image, number: int) -> Image:
    noise = np.random.default_rng(number).normal(0, 8, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def fading(picture: Image, number: int) -> Image:
    return np.asarray(picture * (0.6 + number / 190), np.uint8)


@pytest.mark.parametrize("change", [same, zoomed, shaken, noisy, fading])
def test_a_still_picture_does_not_speak(photograph: Image, change: Callable[[Image, int], Image]) -> None:
    picture = np.ascontiguousarray(photograph[:300, 60:400])
    points = points_of([change(picture, number) for number in range(75)])
    assert measure_movement(points, ALL) < 0.8 * LIMITS.min_movement


@pytest.mark.parametrize("name", ["grid/s1/bbaf3s.mpg", "lrw_like/lipread_mp4/DURING/train/DURING_00001.mp4"])
def test_speaking_people_speak(corpora: Path, name: str) -> None:
    points = points_of(list(read_frames(corpora / name)))
    assert measure_movement(points, np.ones(len(points), bool)) > 1.3 * LIMITS.min_movement


def test_movement_by_hand() -> None:
    """The upper half of a ring of points moves against the lower; middle, size and angle stay."""
    points = np.zeros((75, 68, 2))
    angles = np.arange(20) * 2 * np.pi / 20
    points[:, 48:68] = 20 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    swing = np.sin(np.arange(75) * 2 * np.pi / 75)[:, None]
    points[:, 48:68, 1] += 0.5 * swing * np.sign(np.sin(3 * angles))
    assert measure_movement(points, ALL) == pytest.approx(0.5 * np.sqrt(0.5), rel=0.15)
    turning = points @ np.array([[0.6, -0.8], [0.8, 0.6]]) * np.linspace(1, 1.001, 75)[:, None, None] + 9
    assert measure_movement(turning, ALL) == pytest.approx(measure_movement(points, ALL), rel=0.02)
    assert np.isnan(measure_movement(points, np.arange(75) > 40))


def speaking(pause: float) -> tuple[Points, NDArray[np.int16]]:
    """Points and sound of a mouth that moves where the sound is loud; ``pause`` is the share of pauses."""
    draw = np.random.default_rng(1)
    loud = np.zeros(75)
    loud[: round(75 * (1 - pause))] = 1
    loud = np.roll(loud, 20)
    noise = draw.normal(0, 1, 75 * 640)
    speech = noise * np.repeat(3000 * loud + 3, 640)
    points = np.zeros((75, 68, 2), np.float32)
    points[:, 48:68] = draw.normal(0, 10, (20, 2))
    points[:, 57] += (loud * 4 * np.sin(np.arange(75) * 1.9))[:, None]
    return points, speech.astype(np.int16)


def test_lips_that_match_the_sound() -> None:
    points, speech = speaking(0.4)
    assert measure_sync(points, ALL, speech) > 0.8
    assert measure_sync(points, ALL, np.roll(speech, 2 * 640)) > 0.8
    assert measure_sync(points, ALL, np.roll(speech, 25 * 640)) < LIMITS.min_sync
    assert measure_sync(points * 0, ALL, speech) == 0.0


def test_undecidable_clips_give_nan() -> None:
    points, speech = speaking(0.4)
    assert np.isnan(measure_sync(points[:49], ALL[:49], speech[: 49 * 640]))
    assert np.isnan(measure_sync(points, np.arange(75) > 0, speech))
    assert np.isnan(measure_sync(points, ALL, speech[: 70 * 640]))
    assert np.isnan(measure_sync(points, ALL, speech[:0]))
    assert np.isnan(measure_sync(points, ALL, speech * 0))
    for pause in (0.1, 0.9):
        assert np.isnan(measure_sync(*speaking(pause)[:1], ALL, speaking(pause)[1]))


@pytest.mark.parametrize("name", ["s1/bbaf3s", "s31/lrau5s", "s20/brbk7n"])
def test_real_speech_with_its_sound_and_with_later_sound(corpora: Path, name: str) -> None:
    path = corpora / f"grid/{name}.mpg"
    points, sound = points_of(list(read_frames(path))), read_audio(path)[: 75 * 640]
    sound = np.pad(sound, (0, 75 * 640 - len(sound)))
    assert measure_sync(points, ALL, sound) > LIMITS.min_sync + 0.1
    assert measure_sync(points, ALL, np.roll(sound, 25 * 640)) < LIMITS.min_sync


def test_level_by_hand() -> None:
    time = np.arange(4 * 640) / 16000
    tone = np.sin(2 * np.pi * 1000 * time) * np.repeat([8000, 4000, 1, 0], 640)
    level = speech_level(tone.astype(np.int16))
    assert level[0] - level[1] == pytest.approx(6.02, abs=0.1)
    assert level[0] - level[2] == level[0] - level[3] == 40
    hum = speech_level((8000 * np.sin(2 * np.pi * 100 * time)).astype(np.int16))
    assert level[0] - hum.max() > 40
    assert len(speech_level(np.zeros(0, np.int16))) == 0
