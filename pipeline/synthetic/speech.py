"""A clip's sound track: three seconds with one spoken sentence, as in GRID."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from pipeline.runtime.clock import FPS
from pipeline.speech import espeak
from pipeline.speech.espeak import Voice
from pipeline.speech.phonemes import Segment
from pipeline.synthetic.sentences import Sentence

FRAMES = 75
SECONDS = FRAMES / FPS
RATE = 2 * espeak.RATE
"""44.1 kHz, as in GRID."""

LOUDNESS = 0.08
"""RMS of the speech."""
ROOM = 5e-4
"""RMS of the background noise: -66 dB, so that the sound is never digital silence."""

_LONGEST_SPEECH = 2.5  # seconds; leaves silence at both ends
_SPOKEN = {"a": "[[eI]]"}  # the letter's name, not the article


@dataclass(frozen=True)
class SoundTrack:
    """``samples_N`` are int16 mono at `RATE`, ``SECONDS`` long. Times are seconds from the clip's start."""

    samples_N: NDArray[np.int16]
    phonemes: tuple[Segment, ...]
    words: tuple[Segment, ...]


def speak(sentence: Sentence, voice: Voice, rng: np.random.Generator) -> SoundTrack:
    """Say ``sentence`` after a silence of random length; silence also fills the rest of the three seconds."""
    spoken = [_SPOKEN.get(word, word) for word in sentence.words]
    utterance = espeak.synthesise(spoken, voice)
    length = utterance.words[-1].end
    if length > _LONGEST_SPEECH:
        utterance = espeak.synthesise(spoken, replace(voice, rate=int(voice.rate * length / _LONGEST_SPEECH) + 5))
        length = utterance.words[-1].end
    lead = round(rng.uniform(0.15, min(0.6, SECONDS - length - 0.15)) * espeak.RATE) / espeak.RATE

    speech_N = resample_poly(utterance.samples_N.astype(np.float64), 2, 1)
    speech_N *= LOUDNESS / np.sqrt(np.mean(speech_N[: round(length * RATE)] ** 2))
    words = zip(utterance.words, sentence.words, strict=True)
    return SoundTrack(
        samples_N=in_room(speech_N, round(lead * RATE), rng),
        phonemes=tuple(Segment(heard.label, heard.start + lead, heard.end + lead) for heard in utterance.phonemes),
        words=tuple(Segment(word, heard.start + lead, heard.end + lead) for heard, word in words),
    )


def in_room(speech_N: NDArray[np.float64], first: int, rng: np.random.Generator) -> NDArray[np.int16]:
    """Three seconds of faint noise, with speech in [-1, 1] from sample ``first`` on, cut at the end."""
    track_N = ROOM * rng.standard_normal(round(SECONDS * RATE))
    audible_N = speech_N[: len(track_N) - first]
    track_N[first : first + len(audible_N)] += audible_N
    return np.round(np.clip(track_N, -1, 1) * 32767).astype(np.int16)


def alignment(words: tuple[Segment, ...]) -> str:
    """The text of GRID's ``.align`` file: start and end in 1/25000 s, and word; ``sil`` at both ends."""
    cuts = [0, *(round(word.start * 25000) for word in words), round(words[-1].end * 25000), FRAMES * 1000]
    labels = ["sil", *(word.label for word in words), "sil"]
    return "".join(f"{start} {end} {label}\n" for (start, end), label in zip(pairwise(cuts), labels, strict=True))
