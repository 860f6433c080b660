"""Whether the sound of a whole video belongs to its lips, and by how many frames the two are apart.

One clip of a few seconds is not enough: its best lag is often wrong by many frames. Over the clips of a video the right
lag repeats and wrong lags do not. Each clip's lips are also compared with the sound of the other clips. This shows how
well any speech fits these lips.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.faces.lips import LEAST, mouth_speed, speech_level
from pipeline.landmarks.mouth import mouth_opening
from pipeline.runtime.clock import FPS

LAGS = np.arange(-25, 26)
"""Frames by which lips and sound may be apart: 1 s."""
FEWEST_CLIPS = 3
"""Clips below which a video has no result."""
MOST_CLIPS = 20
"""Clips of a video that are compared, spread evenly over it: a minute is enough."""
TOLERATED = 1
"""Frames of offset that are left alone: real recordings have them, and nobody sees them."""


@dataclass(frozen=True)
class Limits:
    """From which values on a fit is clear. They depend on the signals that are compared."""

    gain: float
    """`Fit.gain` times the root of the number of clips from which on the sound belongs to the lips."""
    correlation: float
    """`Fit.correlation` from which on it belongs, too."""
    no_gain: float
    """The sound may be foreign only below this value of the first..."""
    weak: float
    """... and below this value of the second..."""
    fewest: int
    """... and with so many clips."""


Signals = tuple[Sequence[NDArray[np.floating]], Sequence[NDArray[np.floating]]]
"""Of one clip: signals of the lips, each (T, K), and the signals of the sound to compare them with, in this order."""


@dataclass(frozen=True)
class Fit:
    """How well the lips of a video fit its sound."""

    clips: int
    offset: int
    """Frames by which the lips come after the sound at the best lag; negative for sound that is late."""
    correlation: float
    """Mean over the clips at that lag, -1 to 1."""
    gain: float
    """By how much it is higher than with the sound of the other clips at the same lag."""
    agreed: bool
    """Whether the correlation alone is highest at that lag, too."""
    limits: Limits

    @property
    def belongs(self) -> bool:
        """Whether the sound clearly belongs to the lips, at the offset."""
        clear = self.gain * self.clips**0.5 >= self.limits.gain or self.correlation >= self.limits.correlation
        return self.agreed and clear

    @property
    def foreign(self) -> bool:
        """Whether the sound clearly does not belong to the lips within 1 s.

        Weak lips, such as those behind a moustache, still agree on the lag at which the sound belongs to them.
        """
        weak = self.gain * self.clips**0.5 < self.limits.no_gain and self.correlation < self.limits.weak
        in_step = self.agreed and abs(self.offset) <= TOLERATED
        return self.clips >= self.limits.fewest and weak and not in_step

    @property
    def shifted(self) -> bool:
        """Whether the sound belongs to the lips, but is early or late."""
        return self.belongs and abs(self.offset) > TOLERATED

    def describe(self) -> str:
        """The offset in words, such as ``0.40 s late (10 frames)``."""
        return f"{abs(self.offset) / FPS:.2f} s {'late' if self.offset < 0 else 'early'} ({abs(self.offset)} frames)"


LOUDNESS = Limits(gain=0.4, correlation=1.0, no_gain=0.35, weak=0.3, fewest=8)
"""For `loudness_signals`."""


def loudness_signals(points_T68x2: NDArray[np.floating], samples_N: NDArray[np.int16]) -> Signals:
    """The opening of the mouth, its change and the mouth's speed, and the level of the speech and its change.

    ``points_T68x2`` are in pixels of the crop; ``samples_N`` are mono at 16 kHz, from the first frame on.
    """
    level_T = speech_level(samples_N)
    frames = min(len(level_T), len(points_T68x2))
    if frames < LEAST:
        return (), ()
    level_T, opening_T = level_T[:frames], mouth_opening(points_T68x2[:frames])
    lips = [opening_T, mouth_speed(points_T68x2[:frames]), np.gradient(opening_T)]
    sound = [level_T, level_T, np.gradient(level_T)]
    return [signal_T[:, None] for signal_T in lips], [signal_T[:, None] for signal_T in sound]


def spread_evenly(clips: Sequence[str]) -> list[str]:
    """At most `MOST_CLIPS` of them."""
    return [clips[int(place)] for place in np.linspace(0, len(clips) - 1, min(MOST_CLIPS, len(clips)))]


def fit_video(clips: Sequence[Signals], limits: Limits) -> Fit | None:
    """How well the lips of a video's clips fit its sound; None with fewer than `FEWEST_CLIPS` of `LEAST` frames."""
    long = [clip for clip in clips if clip[0] and len(clip[0][0]) >= LEAST]
    if len(long) < FEWEST_CLIPS:
        return None
    kinds = range(len(long[0][0]))
    by_kind = [_correlations([clip[0][kind] for clip in long], [clip[1][kind] for clip in long]) for kind in kinds]
    correlations_LNN = np.mean(by_kind, axis=0)
    same = np.eye(len(long), dtype=bool)
    own_L, others_L = correlations_LNN[:, same].mean(axis=1), correlations_LNN[:, ~same].mean(axis=1)
    best = int(np.argmax(own_L - others_L))
    return Fit(
        clips=len(long),
        offset=int(LAGS[best]),
        correlation=float(own_L[best]),
        gain=float(own_L[best] - others_L[best]),
        agreed=abs(int(np.argmax(own_L)) - best) <= 1,
        limits=limits,
    )


def _correlations(lips: list[NDArray[np.floating]], sound: list[NDArray[np.floating]]) -> NDArray[np.float64]:
    """Of each of N clips' lips with the sound of each clip, by lag: (len(LAGS), N, N)."""
    frames = min(map(len, [*lips, *sound]))
    lips_NTK, sound_NTK = (np.stack([one[:frames] for one in side]).astype(np.float64) for side in (lips, sound))
    found = []
    for lag in map(int, LAGS):
        seen = lips_NTK[:, max(0, lag) : frames + min(0, lag)]
        heard = sound_NTK[:, max(0, -lag) : frames - max(0, lag)]
        seen, heard = seen - seen.mean(axis=1, keepdims=True), heard - heard.mean(axis=1, keepdims=True)
        size = np.sqrt(np.square(seen).sum(axis=(1, 2))[:, None] * np.square(heard).sum(axis=(1, 2))[None])
        product = np.einsum("itk,jtk->ij", seen, heard)
        found.append(np.divide(product, size, out=np.zeros_like(product), where=size > 0))
    return np.array(found)
