"""Only the moving parts of the face are painted, whatever VG-net's attention is."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.outside_mouth import LIMIT, measure, outside_mouth
from pipeline.inference.compositing.base import Painted
from pipeline.inference.compositing.mask import DRIVEN, HOLD, RELEASE, SPEAKING, mask_paint
from pipeline.inference.generator import Generator
from pipeline.inference.inputs import read_reference
from pipeline.inference.settings import Settings
from pipeline.inference.talking_head import TalkingHead
from pipeline.preprocessing.base import Reference

GREEN = (0, 255, 0)
CHIN, BROWS, MOUTH = list(range(4, 13)), list(range(17, 27)), list(range(48, 68))
RIGHT_LIDS, LEFT_LIDS = [37, 38, 40, 41], [43, 44, 46, 47]


@pytest.fixture(scope="module")
def face(shipped: TalkingHead, face_file: Path) -> Reference:
    return read_reference(face_file, shipped.preprocessing)


def hostile(face: Reference, points_T68x2: NDArray[np.float32], chunk: int = 16) -> Iterator[Painted]:
    """Act as a VG-net that paints everything green."""
    for start in range(0, len(points_T68x2), chunk):
        some = points_T68x2[start : start + chunk]
        green = np.full((len(some), *face.image_HWC.shape), GREEN, np.uint8)
        yield Painted(green, np.ones(green.shape[:3], np.float32), green, some, face)


def moved(face: Reference, rows: list[int], pixels: float, frames: int = 1) -> NDArray[np.float32]:
    """Return landmarks of the face with some points moved down."""
    points = np.tile(face.points_68x2, (frames, 1, 1))
    points[:, rows, 1] += pixels
    return points


def changed(painted: Painted) -> NDArray[np.bool_]:
    """Return the pixels of the first frame that differ from the reference."""
    return np.asarray((painted.frames_THWC[0] != painted.reference.image_HWC).any(axis=2))


def test_speech_changes_only_the_lower_face(face: Reference) -> None:
    points = moved(face, MOUTH, 4) + moved(face, CHIN, 6) - face.points_68x2
    (painted,) = mask_paint(hostile(face, points), SPEAKING)
    mouth, outside = face.points_68x2[62].astype(int), outside_mouth(face.points_68x2, (128, 128))
    np.testing.assert_array_equal(painted.frames_THWC[0][mouth[1], mouth[0]], GREEN)
    assert outside[: int(face.points_68x2[29, 1])].all(), "it includes everything above the nose"
    assert not changed(painted)[outside].any()
    np.testing.assert_array_equal(painted.attention_THW[0] > 0, changed(painted))
    chin = (face.points_68x2[8] + (0, 5)).astype(int)
    assert changed(painted)[chin[1], chin[0]], "also below the chin that drops"


def test_a_still_face_is_not_painted(face: Reference) -> None:
    for points in (moved(face, MOUTH, 0, 3), moved(face, RIGHT_LIDS + LEFT_LIDS, 5, 3)):
        (painted,) = mask_paint(hostile(face, points), SPEAKING)
        assert not painted.attention_THW.any()
        np.testing.assert_array_equal(painted.frames_THWC, np.stack([face.image_HWC] * 3))


@pytest.mark.parametrize(
    ("moving", "around"),
    [(RIGHT_LIDS, range(36, 42)), (LEFT_LIDS, range(42, 48)), (BROWS, BROWS), (MOUTH, [*range(3, 14), 31, 35])],
    ids=["right eye", "left eye", "brows", "mouth"],
)
def test_driving_paints_only_the_moving_parts(face: Reference, moving: list[int], around: Sequence[int]) -> None:
    (painted,) = mask_paint(hostile(face, moved(face, moving, 3)), DRIVEN)
    near = np.zeros((128, 128), np.uint8)
    x, y, width, height = cv2.boundingRect(face.points_68x2[list(around)])
    near[max(0, y - 16) : y + height + 16, max(0, x - 16) : x + width + 16] = 1
    assert changed(painted).any()
    assert not changed(painted)[near == 0].any()


def test_lips_stay_painted_within_a_word(face: Reference) -> None:
    """They fade out after it. The chunks do not matter."""
    points = np.concatenate([moved(face, MOUTH, 4, 5), moved(face, MOUTH, 0, 40)])
    at = face.points_68x2[62].astype(int)
    levels = []
    for cut in (45, 16, 1):
        masked = mask_paint(hostile(face, points, cut), SPEAKING)
        levels.append(np.concatenate([chunk.attention_THW[:, at[1], at[0]] for chunk in masked]))
    np.testing.assert_array_equal(levels[0], levels[1])
    np.testing.assert_array_equal(levels[0], levels[2])
    assert (levels[0][: 5 + HOLD] == 1).all()
    assert (np.diff(levels[0][4 + HOLD : 4 + HOLD + RELEASE]) < 0).all()
    assert not levels[0][5 + HOLD + RELEASE :].any()


@pytest.mark.slow
@pytest.mark.parametrize("shown", [Settings(blink=False), Settings(crop=True, blink=False)], ids=["whole", "crop"])
@pytest.mark.parametrize("strength", [0, 1])
def test_silence_gives_the_photograph(shipped: TalkingHead, face_file: Path, shown: Settings, strength: float) -> None:
    generator = Generator(shipped, face_file, replace(shown, strength=strength))
    frames = np.stack(list(generator.stream([np.zeros(16000, np.int16)])))
    assert len(frames) == 25
    np.testing.assert_array_equal(frames, np.broadcast_to(frames[0], frames.shape))
    if shown.crop:
        np.testing.assert_array_equal(frames[0], generator.reference.image_HWC)
        heard = np.zeros(16000, np.int16)
        np.testing.assert_array_equal(np.stack(list(shipped.generate(face_file, heard, strength=strength))), frames)


@pytest.mark.slow
def test_the_docs_photograph_changes_only_at_the_mouth(
    shipped: TalkingHead, face_file: Path, sentence: NDArray[np.int16]
) -> None:
    found = measure(shipped, face_file, sentence[:16000])
    assert max(found.outside, found.still) <= LIMIT


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["portraits", "portraits_hq"])
def test_real_photographs_change_only_at_the_mouth(
    corpora: Path, shipped: TalkingHead, sentence: NDArray[np.int16], folder: str
) -> None:
    """A few of the photographs of `benchmarks/outside_mouth.py`."""
    for photo in sorted((corpora / folder).glob("*.jpg"))[10::60]:
        found = measure(shipped, photo, sentence[4000:14240])
        assert max(found.outside, found.still) <= LIMIT, photo.name
