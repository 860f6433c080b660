"""Compares generated mouths with the real ones by landmarks, on validation clips."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import t as student

from pipeline.evaluation.baselines import BASELINES
from pipeline.evaluation.baselines.base import TestClip, speech_landmarks
from pipeline.evaluation.clips import StoredClips
from pipeline.faces.crop import SIZE, rescale
from pipeline.inference.talking_head import TalkingHead
from pipeline.metrics.landmarks import landmark_distance
from pipeline.metrics.lips import opening_correlation
from pipeline.metrics.observe import find_landmarks
from pipeline.shards.clip_store import ClipStore

MOST_CLIPS = 6  # clips that are used, spread evenly over all
BLOCK = 15  # frames whose mean counts as one measurement, because neighbouring frames are not independent
CONFIDENCE = 0.975  # one-sided, that a gain is not noise
LEAST_GAIN = 0.02  # required reduction of LMD, as a share
OPENING_LOSS = 0.05  # allowed decrease of the correlation of the mouth opening
LOST = 0.05  # allowed increase of the share of frames without a face

Points = NDArray[np.float32]


@dataclass(frozen=True)
class Mouths:
    """The mouths that a system generated for some clips, compared with the real ones."""

    distances: tuple[NDArray[np.float64], ...]
    """LMD (T,) per frame, for each clip, in px of the 128x128 face; NaN without a face."""
    openings: tuple[float, ...]
    """Correlation of the mouth opening, for each clip; 0 if it is undefined."""

    @property
    def lmd(self) -> float:
        """Mean over the clips. A clip without any face counts as the side of the crop."""
        return float(np.mean([np.nanmean(clip) if np.isfinite(clip).any() else SIZE for clip in self.distances]))

    @property
    def opening(self) -> float:
        """Mean over the clips."""
        return float(np.mean(self.openings))

    @property
    def lost(self) -> float:
        """Share of frames without a face."""
        return float(np.isnan(np.concatenate(self.distances)).mean())

    def better_than(self, other: "Mouths") -> bool:
        """Return whether LMD is lower by more than noise on the same clips, and the mouth opening no worse."""
        if self.lost > other.lost + LOST or self.opening < other.opening - OPENING_LOSS:
            return False
        gains = np.concatenate(
            [_block_means(theirs - ours) for ours, theirs in zip(self.distances, other.distances, strict=True)]
        )
        if len(gains) < 2:
            return False
        noise = float(student.ppf(CONFIDENCE, len(gains) - 1) * gains.std(ddof=1) / np.sqrt(len(gains)))
        return float(gains.mean()) > max(noise, LEAST_GAIN * other.lmd)

    def summary(self) -> dict[str, float]:
        """Return the values for the card."""
        return {"lmd": round(self.lmd, 6), "opening": round(self.opening, 6)}


class MouthJudge:
    """Measures networks on some clips of a store. The first frame of a clip is the reference and does not count."""

    def __init__(self, store: ClipStore, clips: Sequence[str]) -> None:
        places = np.linspace(0, len(clips) - 1, min(MOST_CLIPS, len(clips)))
        stored = StoredClips(store)
        self._clips: list[TestClip] = [stored.load(clips[int(place)]) for place in places]

    @cached_property
    def _real(self) -> list[Points]:
        return [find_landmarks(clip.frames_THWC[clip.measured]) for clip in self._clips]

    def painted(self, head: TalkingHead, baseline: str) -> Mouths:
        """Measure the pictures of a baseline of the evaluation: `at_vg`, or `vg_gt` for VG-net alone."""
        pictures = (BASELINES[baseline].generate(head, clip).frames_THWC[clip.measured] for clip in self._clips)
        return self._compared([find_landmarks(frames) for frames in pictures])

    def drawn(self, head: TalkingHead) -> Mouths:
        """Measure AT-net's landmarks, without painting."""
        drawn = []
        for clip in self._clips:
            landmarks_TL = speech_landmarks(head, clip, clip.windows_TRC)
            points = head.preprocessing.place(landmarks_TL, clip.reference.points_68x2)
            drawn.append(np.asarray(rescale(points[clip.measured], clip.frames_THWC.shape[1], SIZE), np.float32))
        return self._compared(drawn)

    def _compared(self, generated: Sequence[Points]) -> Mouths:
        pairs = list(zip(generated, self._real, strict=True))
        distances = (landmark_distance(torch.from_numpy(ours), torch.from_numpy(real)).numpy() for ours, real in pairs)
        openings = (float(np.nan_to_num(opening_correlation(ours, real))) for ours, real in pairs)
        return Mouths(tuple(distances), tuple(openings))


def _block_means(values_T: NDArray[np.float64]) -> NDArray[np.float64]:
    blocks = np.array_split(values_T, max(1, len(values_T) // BLOCK))
    return np.array([np.nanmean(block) for block in blocks if np.isfinite(block).any()])
