"""Speech synthesis with espeak-ng through ctypes: samples, and the time of each phoneme and word.

The library keeps state between utterances, such as noise. It is loaded again for each one, which takes 5 ms, so that
the same text gives the same samples in any order and process.
"""

import _ctypes
import ctypes
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.speech.phonemes import Segment

RATE = 22050
"""Samples per second of all voices."""

# From espeak-ng's speak_lib.h.
_RETRIEVAL = 1 + 1  # AUDIO_OUTPUT_SYNCHRONOUS: the callback gets the samples in this thread
_PHONEME_EVENTS_IPA = 0b11
_EVENT_WORD, _EVENT_PHONEME = 1, 7
_RATE_PITCH_RANGE = 1, 3, 4  # numbers of parameters
_UTF8, _PHONEME_INPUT = 1, 0x100


class _Event(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_int) for name in ("type", "unique", "text_position", "length", "audio_position", "sample")),
        ("user_data", ctypes.c_void_p),
        ("phoneme", ctypes.c_char * 8),  # a union; the phoneme's name where the type is _EVENT_PHONEME
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


@dataclass(frozen=True)
class Voice:
    """A speaker's voice, in espeak-ng's units."""

    name: str
    """Language and variant, such as ``en-us+f2``."""
    rate: int
    """Words per minute, 80 to 450."""
    pitch: int
    """0 to 100; 50 is the voice's default."""
    pitch_range: int
    """0 (monotone) to 100; 50 is the voice's default."""


@dataclass(frozen=True)
class Utterance:
    """Speech as float32 samples in [-1, 1] at `RATE` Hz. Words and phonemes follow each other without gaps."""

    samples_N: NDArray[np.float32]
    phonemes: tuple[Segment, ...]
    words: tuple[Segment, ...]


def synthesise(words: Sequence[str], voice: Voice) -> Utterance:
    """Speak ``words``. A word in ``[[...]]`` is in espeak-ng's phoneme names.

    Raises RuntimeError when the library rejects the voice or the words.
    """
    import espeakng_loader  # imported here, because a base installation has voices but no espeak-ng

    chunks: list[bytes] = []
    starts: list[int] = []
    phonemes: list[tuple[int, str]] = []

    def collect(samples: "ctypes._Pointer[ctypes.c_short]", count: int, event: "ctypes._Pointer[_Event]") -> int:
        if count:
            chunks.append(ctypes.string_at(samples, 2 * count))
        index = 0
        while event and event[index].type:
            item = event[index]
            if item.type == _EVENT_WORD:
                starts.append(item.sample)
            elif item.type == _EVENT_PHONEME:
                phonemes.append((item.sample, item.phoneme.decode("utf-8", "ignore")))
            index += 1
        return 0

    callback = _Callback(collect)
    library = ctypes.CDLL(str(espeakng_loader.get_library_path()))
    try:
        data = str(espeakng_loader.get_data_path()).encode()
        if library.espeak_Initialize(_RETRIEVAL, 0, data, _PHONEME_EVENTS_IPA) != RATE:
            raise RuntimeError("espeak-ng did not start")
        library.espeak_ng_SetRandSeed(1)  # for the noise of breathy voices; the default is the time
        library.espeak_SetSynthCallback(callback)
        if library.espeak_SetVoiceByName(voice.name.encode()):
            raise RuntimeError(f"espeak-ng has no voice {voice.name}")
        for parameter, value in zip(_RATE_PITCH_RANGE, (voice.rate, voice.pitch, voice.pitch_range), strict=True):
            library.espeak_SetParameter(parameter, value, 0)
        encoded = " ".join(words).encode()
        size, flags = ctypes.c_size_t(len(encoded) + 1), _UTF8 | _PHONEME_INPUT
        if library.espeak_Synth(encoded, size, 0, 1, 0, flags, None, None):
            raise RuntimeError(f"espeak-ng could not say {words}")
        library.espeak_Synchronize()
        library.espeak_Terminate()
    finally:
        _ctypes.dlclose(library._handle)

    samples_N = np.frombuffer(b"".join(chunks), np.int16).astype(np.float32) / np.float32(32768)
    if len(starts) != len(words):
        raise RuntimeError(f"espeak-ng reported {len(starts)} words for {words}")
    # The last phonemes are unnamed pauses; the first of them ends the speech.
    last = max(sample for sample, label in phonemes if label)
    end = min((sample for sample, label in phonemes if not label and sample > last), default=len(samples_N))
    return Utterance(samples_N, _segments(phonemes, end), _segments(zip(starts, words, strict=True), end))


def _segments(starts: Iterable[tuple[int, str]], end: int) -> tuple[Segment, ...]:
    cuts = [(start, label) for start, label in starts if start < end] + [(end, "")]
    return tuple(Segment(label, start / RATE, stop / RATE) for (start, label), (stop, _) in pairwise(cuts))
