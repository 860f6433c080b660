"""Phonemes, in classes of what the lips do, for each video frame."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from pipeline.runtime.clock import FPS


@dataclass(frozen=True)
class Segment:
    """A phoneme (IPA) or word from ``start`` to ``end`` in seconds."""

    label: str
    start: float
    end: float


class Phoneme(IntEnum):
    """Classes of phonemes by what the lips do."""

    UNKNOWN = 0
    SILENCE = 1
    BILABIAL = 2
    """p, b, m: the lips meet."""
    LABIODENTAL = 3
    """f, v: the lower lip meets the upper teeth."""
    CONSONANT = 4
    """Other consonants."""
    OPEN_VOWEL = 5
    """The jaw is down, as in bat, but, spa and hot; also diphthongs that begin so."""
    ROUNDED_VOWEL = 6
    """The lips are pursed, as in two, put and law; also diphthongs that end so."""
    VOWEL = 7
    """Other vowels."""


_SYMBOLS = {
    Phoneme.BILABIAL: "pbm",
    Phoneme.LABIODENTAL: "fv",
    Phoneme.OPEN_VOWEL: "aæʌɑɒ",  # noqa: RUF001 - the IPA's own letters, here and below
    Phoneme.ROUNDED_VOWEL: "ɔouʊyʏøœ",  # noqa: RUF001
    Phoneme.VOWEL: "iɪɨᵻeɛəɐɚɜɝ",  # noqa: RUF001
}
"""IPA symbols by class. The first class of which a label has a symbol applies; other labels are consonants."""


def classify(label: str) -> Phoneme:
    """The class of a phoneme in IPA, with or without marks of length and stress. An empty label is silence."""
    if not label:
        return Phoneme.SILENCE
    return next((phoneme for phoneme, symbols in _SYMBOLS.items() if set(label) & set(symbols)), Phoneme.CONSONANT)


def phonemes_of_frames(phonemes: Iterable[Segment], frames: int) -> NDArray[np.int8]:
    """The class (T,) of the phoneme at the middle of each of ``frames`` frames; `Phoneme.UNKNOWN` without one.

    A short bilabial can lie between the middles of two frames. It then takes the frame of its own middle.
    """
    classes_T = np.full(frames, Phoneme.UNKNOWN, np.int8)
    in_order = sorted(phonemes, key=lambda segment: segment.start)
    for segment in in_order:
        first, last = (int(np.ceil(time * FPS - 0.5)) for time in (segment.start, segment.end))
        classes_T[max(0, first) : max(0, last)] = classify(segment.label)
    for segment in in_order:
        middle = int((segment.start + segment.end) / 2 * FPS)
        if 0 <= middle < frames and classify(segment.label) == Phoneme.BILABIAL:
            classes_T[middle] = Phoneme.BILABIAL
    return classes_T
