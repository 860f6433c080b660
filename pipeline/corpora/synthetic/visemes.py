"""Phonemes with times -> what the mouth does at every video frame.

Each phoneme has a target for the mouth. Targets are held for the phoneme's time and smoothed, so that neighbours colour
each other (coarticulation) and the lips start to move a little before the sound. Closures of p, b and m must not be
smoothed away: they are laid over the smoothed opening and stay closed long enough for at least one frame to show it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from pipeline.corpora.synthetic.speech import FRAMES, SECONDS
from pipeline.runtime.clock import FPS
from pipeline.speech.phonemes import Segment

_STEPS = 500  # a second
_SMOOTH = 0.030  # seconds, standard deviation
_HELD, _RAMP = 0.070, 0.060  # seconds that a closure lasts at least, and takes to close or open


@dataclass(frozen=True)
class Viseme:
    """A target of the mouth; 0 to 1 each but ``width``, which is -1 (pursed) to 1 (spread)."""

    opening: float
    width: float = 0.0
    rounding: float = 0.0
    closure: float = 0.0
    """Lips pressed together."""
    tuck: float = 0.0
    """Lower lip at the upper teeth."""
    tongue: float = 0.0
    """Tip of the tongue raised."""


REST = Viseme(0.0)

VISEMES: dict[str, Viseme] = {}
"""By symbol of the IPA: English, German and French as espeak-ng says them."""
for _symbols, _viseme in {
    "pbm": Viseme(0.05, closure=1),
    "fv": Viseme(0.12, width=0.1, tuck=1),
    "θð": Viseme(0.25, width=0.1, tongue=1),
    "tdnlɾɫ": Viseme(0.26, width=0.15, tongue=0.8),
    "sz": Viseme(0.14, width=0.45, tongue=0.3),
    "ʃʒ": Viseme(0.22, width=-0.3, rounding=0.6),
    "kɡŋhxʁ": Viseme(0.34),  # noqa: RUF001 - IPA's own g
    "ɹr": Viseme(0.26, width=-0.3, rounding=0.5),
    "wʍ": Viseme(0.16, width=-0.8, rounding=1.0),
    "jç": Viseme(0.24, width=0.5, tongue=0.2),
    "ɲ": Viseme(0.26, width=0.4, tongue=0.8),
    "ɥ": Viseme(0.18, width=-0.8, rounding=1.0),
    "i": Viseme(0.30, width=0.9, tongue=0.2),
    "ɪɨᵻ": Viseme(0.38, width=0.55),
    "eɛ": Viseme(0.62, width=0.5),
    "æa": Viseme(0.90, width=0.35),
    "ɐʌ": Viseme(0.75, width=0.05),
    "ɑɒ": Viseme(1.00, width=-0.1),
    "ɔ": Viseme(0.80, width=-0.35, rounding=0.5),
    "o": Viseme(0.62, width=-0.5, rounding=0.7),
    "ʊ": Viseme(0.36, width=-0.6, rounding=0.8),
    "u": Viseme(0.28, width=-0.9, rounding=1.0),
    "y": Viseme(0.28, width=-0.8, rounding=1.0, tongue=0.2),
    "ʏ": Viseme(0.36, width=-0.6, rounding=0.8),  # noqa: RUF001 - IPA's own y
    "ø": Viseme(0.50, width=-0.6, rounding=0.8),
    "œ": Viseme(0.62, width=-0.4, rounding=0.6),
    "əɚɜɝ": Viseme(0.48),
}.items():
    VISEMES.update(dict.fromkeys(_symbols, _viseme))


@dataclass(frozen=True)
class MouthTrack:
    """One value per frame, (T,) each, in the units of :class:`Viseme`; taken at the middle of the frame's time."""

    opening_T: NDArray[np.float64]
    width_T: NDArray[np.float64]
    rounding_T: NDArray[np.float64]
    closure_T: NDArray[np.float64]
    tuck_T: NDArray[np.float64]
    tongue_T: NDArray[np.float64]


def mouth_track(phonemes: tuple[Segment, ...], articulation: float) -> MouthTrack:
    """The mouth over a clip; ``articulation`` scales how wide a speaker opens it (1 is plain)."""
    time_N = np.arange(round(SECONDS * _STEPS)) / _STEPS
    closure_N = np.zeros_like(time_N)
    names = ("opening", "width", "rounding", "tuck", "tongue")
    held = {name: np.full_like(time_N, getattr(REST, name)) for name in names}
    for phoneme in phonemes:
        visemes = [VISEMES[symbol] for symbol in phoneme.label if symbol in VISEMES]
        if not visemes:  # a pause within the sentence: the mouth goes on as it was
            continue
        # A diphthong or an affricate goes through its parts in turn.
        cuts = np.linspace(phoneme.start, phoneme.end, len(visemes) + 1)
        for viseme, start, end in zip(visemes, cuts, cuts[1:], strict=False):
            within_N = (time_N >= start) & (time_N < end)
            for name, values_N in held.items():
                values_N[within_N] = getattr(viseme, name)
            if viseme.closure:
                away_N = np.abs(time_N - (start + end) / 2) - max(end - start, _HELD) / 2
                closure_N = np.maximum(closure_N, 0.5 + 0.5 * np.cos(np.pi * np.clip(away_N / _RAMP, 0, 1)))

    smooth = {name: gaussian_filter1d(values_N, _SMOOTH * _STEPS, mode="nearest") for name, values_N in held.items()}
    smooth["opening"] *= articulation * (1 - closure_N)
    middles = ((np.arange(FRAMES) + 0.5) / FPS * _STEPS).astype(int)
    return MouthTrack(
        opening_T=smooth["opening"][middles],
        width_T=smooth["width"][middles],
        rounding_T=smooth["rounding"][middles],
        closure_T=closure_N[middles],
        tuck_T=smooth["tuck"][middles],
        tongue_T=smooth["tongue"][middles],
    )
