"""A smile closes before it speaks, and nothing else in the picture changes."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.outside_mouth import outside_mouth
from pipeline.inference.closed_lips import close_lips
from pipeline.inference.generator import Generator
from pipeline.inference.inputs import read_image, read_reference
from pipeline.inference.settings import Settings
from pipeline.inference.talking_head import TalkingHead
from pipeline.landmarks.mouth_calibration import PARTED, own_gap
from pipeline.preprocessing.base import Reference


def gap(head: TalkingHead, reference: Reference) -> float:
    points_68x2 = reference.points_68x2
    return own_gap(head.preprocessing.normalize(points_68x2[None], points_68x2)[0])


def test_a_smile_closes(shipped: TalkingHead, photograph: NDArray[np.uint8]) -> None:
    smiling = read_reference("picture", shipped.preprocessing, image_HWC=photograph)
    assert gap(shipped, smiling) > PARTED
    made = close_lips(photograph, smiling, shipped.preprocessing, "prominent")
    assert made is not None
    picture_HWC, reference = made
    assert gap(shipped, reference) < PARTED
    assert smiling.source_68x2 is not None
    outside = outside_mouth(smiling.source_68x2, photograph.shape[:2])
    np.testing.assert_array_equal(picture_HWC[outside], photograph[outside])
    assert close_lips(picture_HWC, reference, shipped.preprocessing, "prominent") is None


def test_closed_lips_stay_as_they_are(shipped: TalkingHead, face_file: Path) -> None:
    reference = read_reference(face_file, shipped.preprocessing)
    assert close_lips(read_image(face_file), reference, shipped.preprocessing, "prominent") is None


def test_a_mouth_that_is_wide_open_stays_open(shipped: TalkingHead, photograph: NDArray[np.uint8]) -> None:
    """The synthesiser cannot close it."""
    smiling = read_reference("picture", shipped.preprocessing, image_HWC=photograph)
    assert smiling.source_68x2 is not None
    wide_68x2 = smiling.source_68x2.copy()
    wide_68x2[[65, 66, 67], 1] += 30
    wide = Reference(smiling.image_HWC, smiling.points_68x2, source_68x2=wide_68x2)
    assert close_lips(photograph, wide, shipped.preprocessing, "prominent") is None


@pytest.mark.slow
def test_silence_shows_closed_lips_and_strength_0_the_photograph(
    shipped: TalkingHead, photograph: NDArray[np.uint8]
) -> None:
    shown = {}
    for strength in (0.0, 1.0):
        generator = Generator(shipped, photograph, Settings(blink=False, strength=strength))
        shown[strength] = list(generator.stream([np.zeros(16000, np.int16)]))[-1]
    np.testing.assert_array_equal(shown[0.0], photograph)
    closed = read_reference("frame", shipped.preprocessing, image_HWC=shown[1.0])
    assert gap(shipped, closed) < PARTED
    assert cv2.absdiff(shown[1.0], photograph).max() > 50
