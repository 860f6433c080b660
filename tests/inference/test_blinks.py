"""Blinks: rate, length, seed, the changed pixels, and the faces that blink."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.inference.blinks import LIDS, closes_eyes, draw_blinks
from pipeline.inference.compositing.base import Painted
from pipeline.inference.compositing.lids import find_skin
from pipeline.inference.generator import Generator
from pipeline.inference.inputs import read_image, read_reference
from pipeline.inference.settings import Settings
from pipeline.inference.talking_head import TalkingHead
from pipeline.landmarks.shape import eye_opening
from pipeline.media import read_frames
from pipeline.preprocessing.base import Reference

SKIN = 0.2


def still(face: Reference, frames: int, chunk: int) -> Iterator[Painted]:
    """Yield frames that show the reference, in chunks."""
    for at in range(0, frames, chunk):
        count = min(chunk, frames - at)
        pictures = np.broadcast_to(face.image_HWC, (count, *face.image_HWC.shape))
        points_T68x2 = np.tile(face.points_68x2, (count, 1, 1))
        yield Painted(pictures, np.zeros(pictures.shape[:3], np.float32), pictures, points_T68x2, face)


def opening(face: Reference, frames: int, seed: int, length: int = 16) -> np.ndarray:
    """Return the opening of the eyes (T,), as a share of the reference's."""
    small = replace(face, image_HWC=face.image_HWC[:1, :1])  # only the landmarks matter
    moved = np.concatenate([chunk.points_T68x2 for chunk in draw_blinks(still(small, frames, length), SKIN, seed)])
    return eye_opening(moved) / eye_opening(face.points_68x2[None])


@pytest.fixture(scope="module")
def face(shipped: TalkingHead, face_file: Path) -> Reference:
    return read_reference(face_file, shipped.preprocessing)


@settings(max_examples=10)
@given(seed=st.integers(0, 2**31), chunk=st.integers(1, 70))
def test_blinks_have_a_human_rate_for_any_chunks(face: Reference, seed: int, chunk: int) -> None:
    """8 to 26 a minute over ten minutes, each a quarter of a second long."""
    open_T = opening(face, 15000, seed, length=1000)
    np.testing.assert_allclose(open_T[:500], opening(face, 500, seed, chunk), atol=1e-6)
    shut = open_T < 0.999
    begins = np.flatnonzero(shut[1:] & ~shut[:-1]) + 1
    assert 8 <= len(begins) / 10 <= 26
    ends = np.flatnonzero(~shut[1:] & shut[:-1]) + 1
    lengths = ends[: len(begins)] - begins[: len(ends)]
    assert np.median(lengths) == len(LIDS)
    assert open_T.min() < 0.01
    assert open_T.max() < 1.001


def test_only_the_eyes_change(face: Reference) -> None:
    """Landmarks: the upper lids. Frames: pixels between brows and nose, while the lids are closed."""
    (chunk,) = draw_blinks(still(face, 500, 500), SKIN, 0)
    others = np.setdiff1d(np.arange(68), [37, 38, 43, 44])
    np.testing.assert_allclose(chunk.points_T68x2[:, others], np.broadcast_to(face.points_68x2[others], (500, 64, 2)))
    assert chunk.closed_T is not None
    changed = (chunk.frames_THWC != face.image_HWC).any(axis=3)
    np.testing.assert_array_equal(changed.any(axis=(1, 2)), chunk.closed_T > 0)
    rows, columns = np.nonzero(changed.any(axis=0))
    assert face.points_68x2[17:27, 1].max() - 2 < rows.min() < rows.max() < face.points_68x2[29, 1]
    assert face.points_68x2[36, 0] - 1 <= columns.min() < columns.max() <= face.points_68x2[45, 0] + 1


@pytest.mark.slow
def test_eyes_blink_by_default_if_the_models_can_close_them(
    shipped: TalkingHead, clip: Path, face_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A speaker of the training blinks by default, the synthetic face only on request."""
    known = read_reference("a frame", shipped.preprocessing, image_HWC=next(read_frames(clip)))
    assert closes_eyes(shipped, known)
    assert not closes_eyes(shipped, read_reference(face_file, shipped.preprocessing))
    blank = replace(known, image_HWC=np.zeros_like(known.image_HWC))
    assert not closes_eyes(shipped, blank)

    sound = np.random.default_rng(0).integers(-3000, 3000, 16000 * 8).astype(np.int16)

    def smallest_opening(picture: object, blink: bool | None) -> float:
        painted = Generator(shipped, picture, Settings(blink=blink)).speak([sound])  # type: ignore[arg-type]
        return float(eye_opening(np.concatenate([chunk.points_T68x2 for chunk in painted])).min())

    frame_HWC = next(read_frames(clip))
    assert smallest_opening(frame_HWC, None) < 0.02 < 0.15 < smallest_opening(frame_HWC, False)
    assert smallest_opening(face_file, None) > 0.15
    assert smallest_opening(face_file, True) < 0.02
    assert not caplog.messages


@pytest.mark.slow
def test_eyes_under_glasses_do_not_blink(
    shipped: TalkingHead, face_file: Path, sentence: NDArray[np.int16], caplog: pytest.LogCaptureFixture
) -> None:
    """A black bar covers the skin above both lids. A warning says so."""
    picture = read_image(face_file)
    points = read_reference(face_file, shipped.preprocessing).source_68x2
    assert points is not None
    for eye in (points[36:42], points[42:48]):
        (left, top), (right, _) = eye.min(axis=0).astype(int), eye.max(axis=0).astype(int)
        picture[top - 6 : top, left - 3 : right + 4] = 0
    assert find_skin(picture, points) is None
    generator = Generator(shipped, picture, Settings(blink=True))
    assert all(chunk.closed_T is None for chunk in generator.speak([np.tile(sentence, 3)]))
    assert "The eyes will not blink: glasses or brows lie too close above them. Leave out --blink." in caplog.messages
