"""What is spoken in every frame, as classes of phonemes that lips can be told by."""

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
    """Classes, by what the lips do."""

    UNKNOWN = 0
    SILENCE = 1
    BILABIAL = 2
    """p, b, m: the lips meet."""
    LABIODENTAL = 3
    """f, v: the lower lip meets the upper teeth."""
    CONSONANT = 4
    """Any other."""
    OPEN_VOWEL = 5
    """The jaw is down, as in bat, but, spa and hot; also diphthongs that begin so."""
    ROUNDED_VOWEL = 6
    """The lips are pursed, as in two, put and law; also diphthongs that end so."""
    VOWEL = 7
    """Any other."""


_SYMBOLS = {
    Phoneme.BILABIAL: "pbm",
    Phoneme.LABIODENTAL: "fv",
    Phoneme.OPEN_VOWEL: "aæʌɑɒ",  # noqa: RUF001 - the IPA's own letters, here and below
    Phoneme.ROUNDED_VOWEL: "ɔouʊyʏøœ",  # noqa: RUF001
    Phoneme.VOWEL: "iɪɨᵻeɛəɐɚɜɝ",  # noqa: RUF001
}
"""Symbols of the IPA by class, in the order in which one of several decides; all others are consonants."""


def classify(label: str) -> Phoneme:
    """The class of a phoneme in IPA, with or without marks of length and stress; silence for an empty label."""
    if not label:
        return Phoneme.SILENCE
    for phoneme, symbols in _SYMBOLS.items():
        if any(symbol in symbols for symbol in label):
            return phoneme
    return Phoneme.CONSONANT


def phonemes_of_frames(phonemes: Iterable[Segment], frames: int) -> NDArray[np.int8]:
    """The class (T,) int8 of what is spoken at the middle of each of ``frames`` frames.

    `Phoneme.UNKNOWN` where no phoneme is. A bilabial that falls between the middles of two frames, which at 25 per
    second a short one does, has the frame that its own middle lies in.
    """
    classes_T = np.full(frames, Phoneme.UNKNOWN, np.int8)
    spoken = sorted(phonemes, key=lambda one: one.start)
    for one in spoken:
        first, last = (int(np.ceil(time * FPS - 0.5)) for time in (one.start, one.end))
        classes_T[max(0, first) : max(0, last)] = classify(one.label)
    for one in spoken:
        middle = int((one.start + one.end) / 2 * FPS)
        if 0 <= middle < frames and classify(one.label) == Phoneme.BILABIAL:
            classes_T[middle] = Phoneme.BILABIAL
    return classes_T
