"""A clip's sound track: a sentence spoken somewhere within three seconds, as in GRID."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from pipeline.corpora.synthetic.grammar import Sentence
from pipeline.runtime.clock import FPS
from pipeline.speech import espeak
from pipeline.speech.espeak import Voice
from pipeline.speech.phonemes import Segment

FRAMES = 75
SECONDS = FRAMES / FPS
RATE = 2 * espeak.RATE
"""44.1 kHz, GRID's own."""

_LONGEST = 2.5  # seconds of speech that leave some silence at both ends
_LOUDNESS = 0.08  # root mean square of the speech
_ROOM = 5e-4  # that of the room's noise: -66 dB, so that no logarithm meets digital silence
_SPOKEN = {"a": "[[eI]]"}  # the letter's name; as a word it would be the article


@dataclass(frozen=True)
class SoundTrack:
    """``samples_N`` int16 mono at :data:`RATE`, ``SECONDS`` long; times in seconds from the clip's start."""

    samples_N: NDArray[np.int16]
    phonemes: tuple[Segment, ...]
    words: tuple[Segment, ...]


def speak(sentence: Sentence, voice: Voice, rng: np.random.Generator) -> SoundTrack:
    """Say ``sentence`` with a silence of random length before it and the rest of the three seconds after it."""
    spoken = [_SPOKEN.get(word, word) for word in sentence.words]
    utterance = espeak.synthesise(spoken, voice)
    length = utterance.words[-1].end
    if length > _LONGEST:
        utterance = espeak.synthesise(spoken, replace(voice, rate=int(voice.rate * length / _LONGEST) + 5))
        length = utterance.words[-1].end
    lead = round(rng.uniform(0.15, min(0.6, SECONDS - length - 0.15)) * espeak.RATE) / espeak.RATE

    speech_N = resample_poly(utterance.samples_N.astype(np.float64), 2, 1)
    speech_N *= _LOUDNESS / np.sqrt(np.mean(speech_N[: round(length * RATE)] ** 2))
    track_N = _ROOM * rng.standard_normal(round(SECONDS * RATE))
    first = round(lead * RATE)
    heard_N = speech_N[: len(track_N) - first]
    track_N[first : first + len(heard_N)] += heard_N
    return SoundTrack(
        samples_N=np.round(np.clip(track_N, -1, 1) * 32767).astype(np.int16),
        phonemes=_shift(utterance.phonemes, lead),
        words=tuple(
            replace(segment, label=word)
            for segment, word in zip(_shift(utterance.words, lead), sentence.words, strict=True)
        ),
    )


def alignment(words: tuple[Segment, ...]) -> str:
    """The text of GRID's ``.align`` file: start and end (1/25000 s, 1000 a frame) and word; ``sil`` at both ends."""
    cuts = [round(word.start * 25000) for word in words] + [round(words[-1].end * 25000)]
    bounds = [0, *cuts, FRAMES * 1000]
    labels = ["sil", *(word.label for word in words), "sil"]
    return "".join(f"{start} {end} {label}\n" for (start, end), label in zip(pairwise(bounds), labels, strict=True))


def _shift(segments: tuple[Segment, ...], seconds: float) -> tuple[Segment, ...]:
    return tuple(Segment(one.label, one.start + seconds, one.end + seconds) for one in segments)
