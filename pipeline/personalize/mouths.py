"""How near the mouths that networks make are to the real ones, on clips kept for it: by landmarks, not by pixels."""

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

MOST_CLIPS = 6
"""Clips at most, spread evenly."""
BLOCK = 15
"""Frames whose mean counts as one measurement: LMD of frames side by side is hardly independent."""
CONFIDENCE = 0.975
"""One-sided, with which a gain must not be noise."""
LEAST_GAIN = 0.02
"""Share of LMD that must be gained."""
OPENING_LOSS = 0.05
"""By which the correlation of the mouth opening may fall."""
LOST = 0.05
"""Share of the frames by which fewer may show a face."""

Points = NDArray[np.float32]


@dataclass(frozen=True)
class Mouths:
    """What a system made of clips, beside the real mouths."""

    distances: tuple[NDArray[np.float64], ...]
    """LMD (T,) of each frame of each clip, in px of the 128x128 face; NaN without a face."""
    openings: tuple[float, ...]
    """Correlation of the mouth opening of each clip; 0 where it is not defined."""

    @property
    def lmd(self) -> float:
        """Mean over the clips; the side of the face where none is found."""
        means = [float(np.nanmean(one)) if np.isfinite(one).any() else float(SIZE) for one in self.distances]
        return float(np.mean(means))

    @property
    def opening(self) -> float:
        """Mean over the clips."""
        return float(np.mean(self.openings))

    @property
    def lost(self) -> float:
        """Share of frames without a face."""
        return float(np.isnan(np.concatenate(self.distances)).mean())

    def better_than(self, other: "Mouths") -> bool:
        """Whether LMD is lower by more than noise, of the same clips, and the mouth opens when it should as before."""
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
        """Numbers for the card."""
        return {"lmd": round(self.lmd, 6), "opening": round(self.opening, 6)}


class MouthJudge:
    """Measures networks on `clips` of the store; the first frame of each is the reference and does not count."""

    def __init__(self, store: ClipStore, clips: Sequence[str]) -> None:
        places = np.linspace(0, len(clips) - 1, min(MOST_CLIPS, len(clips)))
        stored = StoredClips(store)
        self._clips: list[TestClip] = [stored.load(clips[int(place)]) for place in places]

    @cached_property
    def _real(self) -> list[Points]:
        return [find_landmarks(clip.frames_THWC[clip.measured]) for clip in self._clips]

    def painted(self, head: TalkingHead, baseline: str) -> Mouths:
        """Of the pictures that a baseline of the evaluation paints: `at_vg`, or `vg_gt` for VG-net alone."""
        made = (BASELINES[baseline].generate(head, clip).frames_THWC[clip.measured] for clip in self._clips)
        return self._beside([find_landmarks(frames) for frames in made])

    def drawn(self, head: TalkingHead) -> Mouths:
        """Of the landmarks that AT-net draws, before anything is painted."""
        made = []
        for clip in self._clips:
            landmarks_TL = speech_landmarks(head, clip, clip.windows_TRC)
            points = head.preprocessing.place(landmarks_TL, clip.reference.points_68x2)
            made.append(np.asarray(rescale(points[clip.measured], clip.frames_THWC.shape[1], SIZE), np.float32))
        return self._beside(made)

    def _beside(self, made: Sequence[Points]) -> Mouths:
        pairs = list(zip(made, self._real, strict=True))
        distances = (landmark_distance(torch.from_numpy(ours), torch.from_numpy(real)).numpy() for ours, real in pairs)
        openings = (float(np.nan_to_num(opening_correlation(ours, real))) for ours, real in pairs)
        return Mouths(tuple(distances), tuple(openings))


def _block_means(values_T: NDArray[np.float64]) -> NDArray[np.float64]:
    blocks = np.array_split(values_T, max(1, len(values_T) // BLOCK))
    return np.array([np.nanmean(block) for block in blocks if np.isfinite(block).any()])
