"""What is said in every frame: the words' times from a clip's alignment, the phonemes within them from espeak-ng."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.corpora.alignment import find_alignment, read_alignment
from pipeline.runtime.clock import FPS
from pipeline.runtime.errors import PipelineError, install_command
from pipeline.runtime.paths import StrPath
from pipeline.speech.phonemes import Segment, phonemes_of_frames

_VOICE = "en-gb-x-rp"
"""GRID's speakers are British."""
_NAMES = {"a": "[[eI]]"}
"""Of letters that would be read as a word."""


@dataclass(frozen=True)
class Transcript:
    """What is said in each of T frames; None where nobody knows."""

    words_T: NDArray[np.str_] | None = None
    """Empty in pauses."""
    phonemes_T: NDArray[np.int8] | None = None
    """Classes of `pipeline.speech.phonemes`."""

    def cut(self, frames: slice) -> "Transcript":
        """In these frames."""
        words, phonemes = self.words_T, self.phonemes_T
        return Transcript(None if words is None else words[frames], None if phonemes is None else phonemes[frames])


def said(words: Sequence[Segment], frames: int) -> Transcript:
    """By words with their times; phonemes are known only where espeak-ng is installed."""
    if not words:
        return Transcript()
    try:
        phonemes_T = phonemes_by_frame(words, frames)
    except PipelineError:
        phonemes_T = None
    return Transcript(words_by_frame(words, frames), phonemes_T)


def spoken_phonemes(video: StrPath, frames: int, start: float = 0.0) -> NDArray[np.int8]:
    """The class of phoneme (T,) of each of ``frames`` frames of a video from ``start`` seconds on
    (`pipeline.speech.phonemes`).

    The video's words and their times are those of its alignment in GRID's layout. Raises PipelineError saying why they
    are not known: there is none, or espeak-ng, which says how words sound, is not installed.
    """
    video = Path(video)
    alignment = find_alignment(video)
    if alignment is None:
        raise PipelineError(
            f"When each word of {video.name} is said is not known. Lay an alignment beside it as GRID's, "
            f"{video.stem}.align."
        )
    return phonemes_by_frame(read_alignment(alignment), frames, start)


def phonemes_by_frame(words: Iterable[Segment], frames: int, start: float = 0.0) -> NDArray[np.int8]:
    """The class of phoneme (T,) of each of ``frames`` frames from ``start`` seconds on, of words with their times.

    Raises PipelineError where espeak-ng, which says how words sound, is not installed.
    """
    if find_spec("espeakng_loader") is None:
        raise PipelineError(f"How words sound takes espeak-ng. Install it with {install_command('pipeline')}.")
    shifted = [Segment(one.label, one.start - start, one.end - start) for one in phonemes_of_words(words)]
    return phonemes_of_frames(shifted, frames)


def words_by_frame(words: Iterable[Segment], frames: int, start: float = 0.0) -> NDArray[np.str_]:
    """The word (T,) that is said at the middle of each of ``frames`` frames from ``start`` seconds on; else empty."""
    said = np.full(frames, "", dtype=object)
    for one in words:
        first, last = (max(0, int(np.ceil((time - start) * FPS - 0.5))) for time in (one.start, one.end))
        said[first:last] = one.label
    return said.astype(np.str_)


def phonemes_of_words(words: Iterable[Segment]) -> list[Segment]:
    """The phonemes of words with times, pauses with an empty label: each word as espeak-ng says it by itself, drawn
    out or pressed to the word's own time.
    """
    phonemes = []
    for word in words:
        span = word.end - word.start
        for label, first, last in _pronounced(word.label) if word.label else [("", 0.0, 1.0)]:
            phonemes.append(Segment(label, word.start + first * span, word.start + last * span))
    return phonemes


@cache
def _pronounced(word: str) -> list[tuple[str, float, float]]:
    """A word's phonemes, each with where it begins and ends as shares of the word's time; none for no word."""
    from pipeline.corpora.synthetic.espeak import Voice, synthesise  # which the base installation does not have

    try:
        utterance = synthesise([_NAMES.get(word, word)], Voice(_VOICE, rate=160, pitch=50, pitch_range=50))
    except (RuntimeError, ValueError):  # not one word, or nothing to say
        return []
    spoken = [one for one in utterance.phonemes if one.label]
    length = spoken[-1].end
    # The silence before a first p, b, t, ... is its closure.
    starts = [0.0, *(one.start / length for one in spoken[1:])]
    return [(one.label, first, one.end / length) for one, first in zip(spoken, starts, strict=True)]
