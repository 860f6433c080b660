"""Times of phonemes and words in recorded English whose text is known, by pocketsphinx."""

import re
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.runtime.clock import RATE
from pipeline.speech.phonemes import Segment

_SHORTEST = 3
"""Length, in hundredths of a second, of phonemes that the aligner does not find: its shortest."""
_SHORT_PHONEMES = 0.2
"""Largest share of such phonemes. It was up to 0.18 in most of 50 recordings, and 0.19 to 0.55 with a wrong text."""
_SCORE = -32.0
"""Smallest mean score per hundredth of a second. It was -13 to -31 in most, and -32 to -64 with a wrong text."""
_BEAMS = 1e-48, 1e-20
"""Beams of the search, in the order in which they are tried. Some recordings are only aligned with the narrow one."""
_MISFIT = "the transcript does not fit the recording"
_IPA = {
    "AA": "ɑ", "AE": "æ", "AH": "ʌ", "AO": "ɔ", "AW": "aʊ", "AY": "aɪ", "B": "b", "CH": "tʃ", "D": "d", "DH": "ð",  # noqa: RUF001
    "EH": "ɛ", "ER": "ɝ", "EY": "eɪ", "F": "f", "G": "ɡ", "HH": "h", "IH": "ɪ", "IY": "i", "JH": "dʒ", "K": "k",  # noqa: RUF001
    "L": "l", "M": "m", "N": "n", "NG": "ŋ", "OW": "oʊ", "OY": "ɔɪ", "P": "p", "R": "ɹ", "S": "s", "SH": "ʃ",
    "T": "t", "TH": "θ", "UH": "ʊ", "UW": "u", "V": "v", "W": "w", "Y": "j", "Z": "z", "ZH": "ʒ",
}  # fmt: skip
"""IPA by symbol of the CMU dictionary; silence and noises have none."""


class NotAligned(ValueError):
    """A recording and its text cannot be aligned. The message is the reason."""


class Alignment(NamedTuple):
    """The phonemes and words of a recording with their times. A pause is a phoneme with the label "", and no word."""

    phonemes: tuple[Segment, ...]
    words: tuple[Segment, ...]


def align(samples_N: NDArray[np.int16], text: str) -> Alignment:
    """The times of phonemes and words in speech (N,) at 16 kHz that says the English ``text``.

    The result depends on these arguments alone. Raises NotAligned when a word is not in the dictionary, or the text
    does not fit the speech.
    """
    from pocketsphinx import Decoder  # imported here, because most users of this package do not need it

    spoken = re.findall(r"[a-z]+(?:'[a-z]+)*", text.lower())
    if not spoken:
        raise NotAligned("no transcript in English letters")
    for beam in _BEAMS:
        decoder = Decoder(loglevel="FATAL", lm=None, cmn="batch", samprate=RATE, beam=beam, pbeam=beam)
        for word in spoken:
            if decoder.lookup_word(word) is None:
                raise NotAligned(f'the dictionary has no word "{word}"')
        aligned = _align(decoder, samples_N, " ".join(spoken))
        if aligned:
            break
    else:
        raise NotAligned(_MISFIT)
    phonemes = [phoneme for _, parts in aligned for phoneme in parts]
    voiced = [phoneme for phoneme in phonemes if phoneme.name in _IPA]
    if not voiced:
        raise NotAligned(_MISFIT)
    short = sum(phoneme.duration <= _SHORTEST for phoneme in voiced) / len(voiced)
    score = sum(phoneme.score for phoneme in voiced) / sum(phoneme.duration for phoneme in voiced)
    if short > _SHORT_PHONEMES or score < _SCORE:
        raise NotAligned(_MISFIT)
    return Alignment(
        tuple(_segment(_IPA.get(phoneme.name, ""), [phoneme]) for phoneme in phonemes),
        tuple(_segment(re.sub(r"\(\d+\)", "", name), parts) for name, parts in aligned if parts[0].name in _IPA),
    )


def _align(decoder: Any, samples_N: NDArray[np.int16], text: str) -> list[tuple[str, list[Any]]]:
    """The words with their phonemes; empty if the search does not reach the last phoneme."""
    try:
        decoder.set_align_text(text)
        _decode(decoder, samples_N)
        if decoder.hyp() is None:
            return []
        decoder.set_alignment()
        _decode(decoder, samples_N)
    except RuntimeError:
        return []
    return [(word.name, list(word)) for word in decoder.get_alignment()]


def _segment(label: str, parts: list[Any]) -> Segment:
    return Segment(label, parts[0].start / 100, (parts[-1].start + parts[-1].duration) / 100)


def _decode(decoder: Any, samples_N: NDArray[np.int16]) -> None:
    decoder.start_utt()
    decoder.process_raw(samples_N.tobytes(), no_search=False, full_utt=True)
    decoder.end_utt()
