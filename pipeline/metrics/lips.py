"""What the lips do: opening, closures on p, b and m, and THEval's measures of lips and sound."""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from pipeline.faces.lips import correlation
from pipeline.landmarks.points import MOUTH
from pipeline.landmarks.shape import eye_distance, mouth_opening
from pipeline.metrics.base import METRICS, ClipMetric, MetricEntry
from pipeline.metrics.landmarks import EYES
from pipeline.runtime.clock import FPS
from pipeline.speech.phonemes import Phoneme

MIN_FRAMES = 3
"""Frames with both faces that a comparison of openings needs: fewer always correlate."""
STILL = 1e-5
"""A mouth whose opening varies by less, in eye distances, does not move; rounding varies as much."""

CLOSED = 0.04
"""How far above a clip's `closed_level` an opening may be to count as closed, in eye distances. Fitted on real clips to
separate p, b and m from open vowels (benchmarks/closed_lips.py; docs/evaluation.md)."""
REST = 5.0
"""Percentile of a clip's openings that is taken for closed lips. dlib's gap between shut lips differs by speaker."""
HIGHEST_REST = 0.06
"""The largest gap of closed lips, which no real clip exceeds. So a mouth that hangs open does not count as closed."""
BESIDE = 1
"""Frames before and after a phoneme in which the lips may close."""
REACH = 5
"""Frames further to either side in one of which the mouth must be open: lips that never part do not close."""

SILENT = 20.0
"""Decibels below the loudest frame from which on a frame is silent. In 75 real GRID clips that holds for 95% of the
frames in pauses and 18% of the frames in words, such as closures of p, t and k."""
DEPTH = 40.0
"""Decibels below the loudest frame to which levels are clipped."""
PAUSE = round(0.3 * FPS)
"""Frames from which on a silence is a pause and not the closure of a p, t or k: 0.3 s."""

_FIRST, _SECOND = np.triu_indices(MOUTH.stop - MOUTH.start, 1)


def openings(
    fake_T68x2: NDArray[np.floating], real_T68x2: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The openings of both mouths in the frames with both faces.

    Empty for fewer than `MIN_FRAMES` such frames, and for a real mouth that does not move.
    """
    both = np.stack([mouth_opening(fake_T68x2), mouth_opening(real_T68x2)])
    fake, real = both[:, np.isfinite(both).all(axis=0)]
    return (fake, real) if len(real) >= MIN_FRAMES and np.ptp(real) else (fake[:0], real[:0])


def opening_correlation(fake_T68x2: NDArray[np.floating], real_T68x2: NDArray[np.floating]) -> float:
    """Pearson's correlation of the openings, -1 to 1; NaN if one of the mouths does not move.

    sum (f - mean f)(r - mean r) / sqrt(sum (f - mean f)^2 sum (r - mean r)^2)
    """
    fake, real = openings(fake_T68x2, real_T68x2)
    return correlation(fake, real, 0) if len(fake) and np.ptp(fake) > STILL else float("nan")


def opening_spread(fake_T68x2: NDArray[np.floating], real_T68x2: NDArray[np.floating]) -> float:
    """The smaller standard deviation of the openings over the larger: min(s_fake / s_real, s_real / s_fake).

    1 if the mouth moves as much as the real one, 0 if it is still. Half as much movement has 0.5, and so has twice as
    much. NaN if the real mouth does not move.
    """
    fake, real = openings(fake_T68x2, real_T68x2)
    if not len(fake):
        return float("nan")
    smaller, larger = sorted((float(fake.std()), float(real.std())))
    return smaller / larger


def closed_level(opening_T: NDArray[np.floating]) -> float:
    """The opening of a clip's closed lips, in eye distances; NaN without a face."""
    if np.isnan(opening_T).all():
        return float("nan")
    return min(float(np.nanpercentile(opening_T, REST)), HIGHEST_REST)


def closures(opening_T: NDArray[np.floating], phonemes_T: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Whether the lips close on each p, b and m; several without a frame between them count as one.

    The lips close if the smallest opening within the phoneme and `BESIDE` is at most `closed_level` + `CLOSED`, and the
    largest within `REACH` of those frames is more. Frames without a face count for neither.
    """
    limit = closed_level(opening_T) + CLOSED
    closes = []
    for first, last in runs(phonemes_T == Phoneme.BILABIAL):
        begin, end = max(0, first - BESIDE), last + BESIDE
        within, around = opening_T[begin:end], opening_T[max(0, begin - REACH) : end + REACH]
        closes.append(bool((within <= limit).any() and (around > limit).any()))
    return np.array(closes, bool)


def closed_share(points_T68x2: NDArray[np.floating], phonemes_T: NDArray[np.int8]) -> float:
    """The share of `closures`, 0 to 1; NaN if no face is found, or no p, b or m is spoken."""
    opening_T = mouth_opening(points_T68x2)
    closes = closures(opening_T, phonemes_T)
    return float(closes.mean()) if len(closes) and not np.isnan(opening_T).all() else float("nan")


def lip_sync(points_T68x2: NDArray[np.floating], loudness_T: NDArray[np.floating]) -> float:
    """THEval's lip-sync: how much the mouth's opening and the sound's level differ during speech, 0 to 1.

    1/T sum_t |n(opening)_t - n(loudness)_t| over the frames that are not silent and show a face, with
    n(x) = (x - min x) / (max x - min x) over the same frames, 0 for a constant. NaN for fewer than two such frames.
    """
    opening_T = mouth_opening(points_T68x2)
    speaks_T = ~silent_frames(loudness_T) & ~np.isnan(opening_T)
    if speaks_T.sum() < 2:
        return float("nan")
    return float(np.abs(_scaled(opening_T[speaks_T]) - _scaled(loudness_T[speaks_T])).mean())


def _scaled(values_T: NDArray[np.floating]) -> NDArray[np.float64]:
    least, span = float(values_T.min()), float(np.ptp(values_T))
    return np.asarray((values_T - least) / span if span else np.zeros(len(values_T)), np.float64)


def silent_stability(points_T68x2: NDArray[np.floating], loudness_T: NDArray[np.floating]) -> float:
    """THEval's silent lip stability: how much the lips move in silence, in percent of the eye distance.

    It is the standard deviation of the opening within each silence of at least 0.3 s, averaged over silences by their
    frames. NaN without such a silence with a face.
    """
    opening_T = mouth_opening(points_T68x2)
    silences = [opening_T[first:last] for first, last in runs(silent_frames(loudness_T)) if last - first >= PAUSE]
    with_face = [silence[~np.isnan(silence)] for silence in silences]
    measured = [silence for silence in with_face if len(silence) >= 2]
    if not measured:
        return float("nan")
    return float(100 * np.average([silence.std() for silence in measured], weights=[len(one) for one in measured]))


def lip_dynamics(points_T68x2: NDArray[np.floating]) -> float:
    """THEval's lip dynamics: how much the mouth changes its shape, in percent of the eye distance.

    It is the standard deviation over time of the distance between two of the mouth's 20 points, averaged over all 190
    pairs. NaN for fewer than two frames with a face.
    """
    points = points_T68x2[~np.isnan(points_T68x2).any(axis=(1, 2))].astype(np.float64)
    if len(points) < 2:
        return float("nan")
    mouth = points[:, MOUTH] / eye_distance(points)[:, None, None]
    distance_TP = np.linalg.norm(mouth[:, _FIRST] - mouth[:, _SECOND], axis=2)
    return float(100 * distance_TP.std(axis=0).mean())


def decibels(loudness_T: NDArray[np.floating]) -> NDArray[np.float64]:
    """The level of each frame (T,) in dB below the loudest frame, from -`DEPTH` to 0; all 0 for digital silence.

    ``loudness_T`` are root mean squares of samples.
    """
    loudest = float(loudness_T.max(initial=0.0))
    if not loudest:
        return np.zeros(len(loudness_T))
    return np.asarray(20 * np.log10(np.maximum(loudness_T / loudest, 10 ** (-DEPTH / 20)), dtype=np.float64))


def silent_frames(loudness_T: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Which frames are silent (T,); all of them in digital silence."""
    return np.asarray((decibels(loudness_T) < -SILENT) | (loudness_T == 0))


def runs(marked_T: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """The first frame and the frame after the last of each run of marked frames."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], marked_T, [False]])))
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]


_THEVAL = partial(MetricEntry, source="THEval, CVPR Findings 2026", real=False, nearest="the real clip")
# fmt: off
METRICS.add(
    MetricEntry("opening", "Correlation of the mouth opening", partial(ClipMetric, opening_correlation), "shapes",
        higher_is_better=True, across=True,
        about="Whether the mouth opens when the real one opens; 1 is always."),
    MetricEntry("spread", "Spread of the mouth opening", partial(ClipMetric, opening_spread), "shapes",
        unit="ratio to the real one, the smaller by the larger", higher_is_better=True, across=True,
        about="Whether the mouth opens as much as the real one; a still mouth has 0."),
    MetricEntry("closed", "Lips closed on p, b, m", partial(ClipMetric, closed_share), "phonemes",
        unit="share of those spoken", higher_is_better=True, real=False,
        about="How often the lips close on p, b and m."),
    _THEVAL("lip_sync", "Lip-sync", partial(ClipMetric, lip_sync), "loudness", unit="share of the range",
        about="How unlike the opening of the mouth and the loudness are during speech."),
    _THEVAL("silent_stability", "Movement of the lips in silence", partial(ClipMetric, silent_stability), "loudness",
        unit=EYES, digits=2, about="How much the lips move during silence."),
    _THEVAL("lip_dynamics", "Lip dynamics", partial(ClipMetric, lip_dynamics), "shapes", unit=EYES, digits=2,
        about="How much the mouth changes its shape."),
)
# fmt: on
