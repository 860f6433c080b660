"""Blinks: how often, how long, the same by seed, and where a model has learnt them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.inference.blinks import LIDS, closes_eyes, put_blinks
from pipeline.inference.generator import Generator
from pipeline.inference.inputs import read_reference
from pipeline.inference.preprocessing.base import Reference
from pipeline.inference.settings import Settings
from pipeline.inference.talking_head import TalkingHead
from pipeline.landmarks.eyes import eye_opening
from pipeline.media import read_frames


def opening(face: Reference, frames: int, seed: int, chunk: int = 16) -> np.ndarray:
    """Of the eyes (T,), by the share of the reference's own."""
    still_L = face.points_68x2.reshape(-1)
    chunks = [np.tile(still_L, (min(chunk, frames - at), 1)) for at in range(0, frames, chunk)]
    moved = np.concatenate(list(put_blinks(chunks, seed)))
    return eye_opening(moved.reshape(-1, 68, 2)) / eye_opening(face.points_68x2[None])


@pytest.fixture(scope="module")
def face(shipped: TalkingHead, face_file: Path) -> Reference:
    return read_reference(face_file, shipped.preprocessing)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31), chunk=st.integers(1, 70))
def test_at_a_human_rate_whatever_the_chunks(face: Reference, seed: int, chunk: int) -> None:
    """8 to 26 a minute in ten of them, each a quarter of a second."""
    open_T = opening(face, 15000, seed, chunk=1000)
    np.testing.assert_allclose(open_T[:500], opening(face, 500, seed, chunk), atol=1e-6)
    shut = open_T < 0.999
    begins = np.flatnonzero(shut[1:] & ~shut[:-1]) + 1
    assert 8 <= len(begins) / 10 <= 26
    ends = np.flatnonzero(~shut[1:] & shut[:-1]) + 1
    lengths = ends[: len(begins)] - begins[: len(ends)]
    assert np.median(lengths) == len(LIDS)
    assert open_T.min() < 0.01
    assert open_T.max() < 1.001


def test_only_eyes_move(face: Reference) -> None:
    still_L = face.points_68x2.reshape(-1)
    moved = np.concatenate(list(put_blinks([np.tile(still_L, (500, 1))], 0))).reshape(-1, 68, 2)
    others = np.setdiff1d(np.arange(68), [37, 38, 43, 44])
    np.testing.assert_allclose(moved[:, others], np.broadcast_to(face.points_68x2[others], (500, 64, 2)))


def test_eyes_that_the_models_know_close(
    shipped: TalkingHead, clip: Path, face_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A speaker of the training blinks by default, the synthetic face does not, and asked for it is warned of."""
    known = read_reference("a frame", shipped.preprocessing, image_HWC=next(read_frames(clip)))
    assert closes_eyes(shipped, known)
    assert not closes_eyes(shipped, read_reference(face_file, shipped.preprocessing))
    blank = replace(known, image_HWC=np.zeros_like(known.image_HWC))
    assert not closes_eyes(shipped, blank)

    sound = np.random.default_rng(0).integers(-3000, 3000, 16000 * 8).astype(np.int16)

    def least(picture: object, blink: bool | None) -> float:
        painted = Generator(shipped, picture, Settings(blink=blink)).speak([sound])  # type: ignore[arg-type]
        landmarks = np.concatenate([chunk.landmarks_TL for chunk in painted])
        return float(eye_opening(landmarks.reshape(-1, 68, 2)).min())

    frame_HWC = next(read_frames(clip))
    assert least(frame_HWC, None) < 0.02 < 0.15 < least(frame_HWC, False)
    assert least(face_file, None) > 0.15
    assert not caplog.messages
    assert least(face_file, True) < 0.02
    assert caplog.messages == ["The models have not learnt to close these eyes: blinks will be halfway, and smeared."]
