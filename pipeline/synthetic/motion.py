"""Motion of mouth and head: from timed phonemes to values per video frame.

Each phoneme has a target for the mouth (a viseme). Targets are held for the phoneme's duration, then smoothed, so that
neighbours influence each other (coarticulation) and the lips start a little before the sound. Closures of p, b and m
are applied after smoothing and held long enough to appear in at least one frame.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from pipeline.runtime.clock import FPS
from pipeline.speech.phonemes import Segment
from pipeline.synthetic.speech import FRAMES, SECONDS

_LID = np.array([0.35, 0.9, 1.0, 0.75, 0.35])  # closure of the lid over the five frames (0.2 s) of a blink
_BLINKS = 3.2  # mean seconds between blinks

Tracks = dict[str, NDArray[np.float64]]
"""By field of `Pose`: an array (T,) with a value per frame."""
_RATE = 500  # values per second before sampling at the video's rate
_SMOOTH = 0.030  # standard deviation of the smoothing, seconds
_HELD, _RAMP = 0.070, 0.060  # seconds: shortest closure; time to close or to open


@dataclass(frozen=True)
class Viseme:
    """A target of the mouth. Each value is 0 to 1, except ``width``: -1 (pursed) to 1 (spread)."""

    opening: float
    width: float = 0.0
    rounding: float = 0.0
    closure: float = 0.0
    """Lips pressed together."""
    tuck: float = 0.0
    """Lower lip against the upper teeth."""
    tongue: float = 0.0
    """Tip of the tongue raised."""


VISEMES: dict[str, Viseme] = {}
"""By IPA symbol: espeak-ng's English, German and French."""
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


def mouth_track(phonemes: tuple[Segment, ...], articulation: float) -> Tracks:
    """The mouth over a clip, sampled at the middle of each frame. ``articulation`` scales the opening; 1 is plain."""
    time_N = np.arange(round(SECONDS * _RATE)) / _RATE
    closure_N = np.zeros_like(time_N)
    held = {name: np.zeros_like(time_N) for name in ("opening", "width", "rounding", "tuck", "tongue")}  # at rest
    for phoneme in phonemes:
        visemes = [VISEMES[symbol] for symbol in phoneme.label if symbol in VISEMES]
        # Diphthongs and affricates have several targets in turn.
        cuts = pairwise(np.linspace(phoneme.start, phoneme.end, len(visemes) + 1))
        for viseme, (start, end) in zip(visemes, cuts, strict=True):
            within_N = (time_N >= start) & (time_N < end)
            for name, values_N in held.items():
                values_N[within_N] = getattr(viseme, name)
            if viseme.closure:
                away_N = np.abs(time_N - (start + end) / 2) - max(end - start, _HELD) / 2
                closure_N = np.maximum(closure_N, 0.5 + 0.5 * np.cos(np.pi * np.clip(away_N / _RAMP, 0, 1)))

    smooth = {name: gaussian_filter1d(values_N, _SMOOTH * _RATE, mode="nearest") for name, values_N in held.items()}
    smooth["opening"] *= articulation * (1 - closure_N)
    middles = ((np.arange(FRAMES) + 0.5) / FPS * _RATE).astype(int)
    return {name: values_N[middles] for name, values_N in (smooth | {"closure": closure_N}).items()}


def smile_track() -> Tracks:
    """A smile at the start of a clip, which fades into the first word: 1 for five frames, then down to 0."""
    return {"smile": np.clip((10 - np.arange(FRAMES)) / 6, 0, 1)}


def head_track(opening_T: NDArray[np.float64], rng: np.random.Generator) -> Tracks:
    """Random head motion. A large ``opening_T`` (0 to 1) marks stressed syllables, which get nods and raised brows."""

    def sway(size: float, seconds: float) -> NDArray[np.float64]:
        noise_T = gaussian_filter1d(rng.standard_normal(FRAMES + 200), seconds * FPS)[100:-100]
        return np.asarray(size * noise_T * np.sqrt(2 * seconds * FPS * np.sqrt(np.pi)))

    stress_T = gaussian_filter1d(opening_T, 0.12 * FPS)
    return {
        "x": rng.normal(0, 3) + sway(2.0, 0.5),
        "y": rng.normal(0, 2) + sway(1.2, 0.4) + 2.0 * stress_T,
        "roll": rng.normal(0, 0.015) + sway(0.012, 0.5),
        "zoom": rng.normal(0, 0.008) + sway(0.006, 0.6),
        "yaw": rng.normal(0, 0.8) + sway(0.9, 0.5),
        "pitch": sway(0.7, 0.4) + 0.8 * stress_T,
        "brows": 0.8 * rng.random() + 1.6 * stress_T + sway(0.3, 0.3),
        "blink": _blinks(rng),
    }


def _blinks(rng: np.random.Generator) -> NDArray[np.float64]:
    blink_T = np.zeros(FRAMES + len(_LID))
    start = rng.exponential(_BLINKS) * FPS
    while start < FRAMES:
        frame = int(start)
        blink_T[frame : frame + len(_LID)] = np.maximum(blink_T[frame : frame + len(_LID)], _LID)
        start += (0.5 + rng.exponential(_BLINKS)) * FPS
    return blink_T[:FRAMES]
