"""The words and phonemes of every frame: words from a clip's alignment, the phonemes within them from espeak-ng."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from pipeline.runtime.clock import FPS
from pipeline.speech.phonemes import Segment, phonemes_of_frames

_VOICE = "en-gb-x-rp"
"""GRID's speakers are British."""
_NAMES = {"a": "[[eI]]"}
"""How to say letters that espeak-ng would read as a word."""


@dataclass(frozen=True)
class Transcript:
    """The words and phonemes of T frames; None if unknown."""

    words_T: NDArray[np.str_] | None = None
    """The word of each frame; empty in pauses."""
    phonemes_T: NDArray[np.int8] | None = None
    """Classes of `pipeline.speech.phonemes`."""

    def cut(self, frames: slice) -> "Transcript":
        """The transcript of some frames."""
        words, phonemes = self.words_T, self.phonemes_T
        return Transcript(None if words is None else words[frames], None if phonemes is None else phonemes[frames])


def transcribe(words: Sequence[Segment], frames: int) -> Transcript:
    """The transcript of words with times. Phonemes need espeak-ng; without it they are unknown."""
    if not words:
        return Transcript()
    words_T = np.full(frames, "", dtype=object)
    for word in words:
        first, last = (max(0, int(np.ceil(time * FPS - 0.5))) for time in (word.start, word.end))
        words_T[first:last] = word.label
    known = find_spec("espeakng_loader") is not None
    phonemes_T = phonemes_of_frames(phonemes_of_words(words), frames) if known else None
    return Transcript(words_T.astype(np.str_), phonemes_T)


def phonemes_of_words(words: Iterable[Segment]) -> list[Segment]:
    """The phonemes of words with times; pauses have an empty label.

    espeak-ng says each word by itself, and its phonemes are stretched to the word's time.
    """
    phonemes = []
    for word in words:
        span = word.end - word.start
        for label, first, last in _pronounced(word.label) if word.label else [("", 0.0, 1.0)]:
            phonemes.append(Segment(label, word.start + first * span, word.start + last * span))
    return phonemes


@cache
def _pronounced(word: str) -> list[tuple[str, float, float]]:
    """A word's phonemes with start and end as shares of the word's time; empty for text that is no word."""
    from pipeline.speech.espeak import Voice, synthesise  # not in the base installation

    try:
        utterance = synthesise([_NAMES.get(word, word)], Voice(_VOICE, rate=160, pitch=50, pitch_range=50))
    except (RuntimeError, ValueError):  # several words, or nothing to say
        return []
    phonemes = [phoneme for phoneme in utterance.phonemes if phoneme.label]
    length = phonemes[-1].end
    # The silence before an initial p, b, t, ... is its closure.
    starts = [0.0, *(phoneme.start / length for phoneme in phonemes[1:])]
    return [(phoneme.label, start, phoneme.end / length) for phoneme, start in zip(phonemes, starts, strict=True)]
