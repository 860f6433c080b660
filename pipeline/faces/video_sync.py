"""Whether a whole video's sound matches its lips, and by how many frames they are apart.

Over all clips the right lag repeats, and wrong lags do not. Each clip's lips are also compared with the sound of the
other clips, which shows how well any speech fits these lips.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.faces.lips import MIN_FRAMES, mouth_speed, speech_level
from pipeline.landmarks.shape import mouth_opening
from pipeline.runtime.clock import FPS

LAGS = np.arange(-25, 26)  # lags of lips and sound that are tried, in frames: up to 1 s
MIN_CLIPS = 3
"""A video with fewer clips has no result."""
MAX_CLIPS = 20  # clips of a video that are compared, spread evenly: a minute is enough
TOLERATED = 1  # frames of offset that count as in sync: real recordings have them, and viewers do not notice


@dataclass(frozen=True)
class FitLimits:
    """Limits of a clear result. They depend on the signals that are compared."""

    gain: float
    """The sound matches from this value of `Fit.gain` times the root of the number of clips..."""
    correlation: float
    """... or from this value of `Fit.correlation`."""
    no_gain: float
    """The sound may be foreign below this value of the first..."""
    weak: float
    """... and below this value of the second..."""
    fewest: int
    """... with at least so many clips."""


Signals = tuple[Sequence[NDArray[np.floating]], Sequence[NDArray[np.floating]]]
"""Signals (T, K) of one clip's lips, and the signals of the sound that they are compared with, in the same order."""


@dataclass(frozen=True)
class Fit:
    """How well a video's lips fit its sound."""

    clips: int
    offset: int
    """Frames by which the lips come after the sound at the best lag; negative when the sound is late."""
    correlation: float
    """The mean correlation of the clips at that lag, -1 to 1."""
    gain: float
    """How much higher it is than with the sound of the other clips at the same lag."""
    agreed: bool
    """Whether the correlation alone has the same best lag."""
    limits: FitLimits

    @property
    def matches(self) -> bool:
        """Whether the sound clearly belongs to the lips, at the offset."""
        clear = self.gain * self.clips**0.5 >= self.limits.gain or self.correlation >= self.limits.correlation
        return self.agreed and clear

    @property
    def foreign(self) -> bool:
        """Whether the sound clearly does not belong to the lips within 1 s; weak lips still agree on a right lag."""
        weak = self.gain * self.clips**0.5 < self.limits.no_gain and self.correlation < self.limits.weak
        in_sync = self.agreed and abs(self.offset) <= TOLERATED
        return self.clips >= self.limits.fewest and weak and not in_sync

    @property
    def shifted(self) -> bool:
        """Whether the sound belongs to the lips, but is early or late."""
        return self.matches and abs(self.offset) > TOLERATED

    @property
    def offset_text(self) -> str:
        """The offset in words, such as ``0.40 s late (10 frames)``."""
        return f"{abs(self.offset) / FPS:.2f} s {'late' if self.offset < 0 else 'early'} ({abs(self.offset)} frames)"


LOUDNESS = FitLimits(gain=0.4, correlation=1.0, no_gain=0.35, weak=0.3, fewest=8)
"""For `loudness_signals`."""


def loudness_signals(points_T68x2: NDArray[np.floating], samples_N: NDArray[np.int16]) -> Signals:
    """The mouth's opening, its speed and its change of opening, with the level of the speech and its change.

    ``points_T68x2`` are in pixels of the crop. ``samples_N`` is mono 16 kHz sound from the first frame on.
    """
    level_T = speech_level(samples_N)
    frames = min(len(level_T), len(points_T68x2))
    if frames < MIN_FRAMES:
        return (), ()
    level_T, opening_T = level_T[:frames], mouth_opening(points_T68x2[:frames])
    lips = np.stack([opening_T, mouth_speed(points_T68x2[:frames]), np.gradient(opening_T)])
    sound = np.stack([level_T, level_T, np.gradient(level_T)])
    return list(lips[..., None]), list(sound[..., None])


def spread_evenly(clips: Sequence[str]) -> list[str]:
    """At most `MAX_CLIPS` of ``clips``."""
    return [clips[int(place)] for place in np.linspace(0, len(clips) - 1, min(MAX_CLIPS, len(clips)))]


def fit_video(clips: Sequence[Signals], limits: FitLimits) -> Fit | None:
    """How well the lips of a video's clips fit its sound; None with fewer than `MIN_CLIPS` of `MIN_FRAMES` frames."""
    long = [clip for clip in clips if clip[0] and len(clip[0][0]) >= MIN_FRAMES]
    if len(long) < MIN_CLIPS:
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
    """The correlations (L, N, N) of each of N clips' lips with each clip's sound, for each of L lags."""
    frames = min(map(len, [*lips, *sound]))
    lips_NTK, sound_NTK = (np.stack([signal[:frames] for signal in side]).astype(np.float64) for side in (lips, sound))
    by_lag = []
    for lag in map(int, LAGS):
        first = lips_NTK[:, max(0, lag) : frames + min(0, lag)]
        second = sound_NTK[:, max(0, -lag) : frames - max(0, lag)]
        first, second = first - first.mean(axis=1, keepdims=True), second - second.mean(axis=1, keepdims=True)
        size = np.sqrt(np.square(first).sum(axis=(1, 2))[:, None] * np.square(second).sum(axis=(1, 2))[None])
        product = np.einsum("itk,jtk->ij", first, second)
        by_lag.append(np.divide(product, size, out=np.zeros_like(product), where=size > 0))
    return np.array(by_lag)
