"""Phonemes to classes of frames."""

# ruff: noqa: RUF001 - the IPA has letters of its own

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.speech.phonemes import Phoneme, Segment, classify, phonemes_of_frames
from pipeline.synthetic.motion import VISEMES


@pytest.mark.parametrize(
    ("labels", "phoneme"),
    [
        ("p b m", Phoneme.BILABIAL),
        ("f v", Phoneme.LABIODENTAL),
        ("t ɡ s tʃ w ŋ j", Phoneme.CONSONANT),
        ("ɑː ˈæ ʌ ɒ aɪ ˌaʊ", Phoneme.OPEN_VOWEL),
        ("uː ɔɪ əʊ ʊ", Phoneme.ROUNDED_VOWEL),
        ("iː ɪ eɪ ɐ əl", Phoneme.VOWEL),
    ],
)
def test_classes_of_phonemes(labels: str, phoneme: Phoneme) -> None:
    assert {classify(label) for label in labels.split()} == {phoneme}


def test_silence_has_no_label() -> None:
    assert classify("") == Phoneme.SILENCE


def test_classes_agree_with_the_synthetic_mouth() -> None:
    """Where the lips of the synthetic corpus close, and where they open wide, for every symbol it knows."""
    for symbol, viseme in VISEMES.items():
        assert (classify(symbol) == Phoneme.BILABIAL) == bool(viseme.closure), symbol
        assert (classify(symbol) == Phoneme.LABIODENTAL) == bool(viseme.tuck), symbol
        if classify(symbol) == Phoneme.OPEN_VOWEL:
            assert viseme.opening >= 0.7, symbol


def test_a_frame_has_the_phoneme_at_its_middle() -> None:
    spoken = [Segment("", 0, 0.05), Segment("m", 0.05, 0.15), Segment("ɑː", 0.15, 0.21)]
    assert phonemes_of_frames(spoken, 6).tolist() == [1, 2, 2, 2, 5, 0]  # middles at 0.02, 0.06, ..., 0.22


def test_a_short_bilabial_between_two_frames_is_kept() -> None:
    """A b of 17 ms, as espeak-ng says it, lies within 0.025 and 0.055 and so meets no frame's middle."""
    spoken = [Segment("æ", 0, 0.025), Segment("b", 0.025, 0.042), Segment("l", 0.042, 0.12)]
    assert phonemes_of_frames(spoken, 3).tolist() == [Phoneme.BILABIAL, Phoneme.CONSONANT, Phoneme.CONSONANT]


@given(st.lists(st.tuples(st.sampled_from("pfæut"), st.floats(-1, 3), st.floats(0, 1))), st.integers(0, 60))
def test_every_frame_has_a_class(spoken: list[tuple[str, float, float]], frames: int) -> None:
    """Also segments before the first frame, behind the last one, and over each other."""
    segments = [Segment(label, start, start + length) for label, start, length in spoken]
    classes = phonemes_of_frames(segments, frames)
    assert classes.shape == (frames,)
    assert classes.dtype == np.int8
    assert set(classes.tolist()) <= set(Phoneme)
    for one in segments:
        middle = int(np.floor((one.start + one.end) / 2 * 25))
        if one.label == "p" and 0 <= middle < frames:
            assert classes[middle] == Phoneme.BILABIAL
