"""What models make of clips they have not seen, beside the real ones: a row per clip."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.clips import StoredClips
from pipeline.evaluation.measure import compare, find_landmarks
from pipeline.evaluation.registry import BASELINES
from pipeline.faces.identity import describe
from pipeline.faces.measure import EVERY, measure_sharpness
from pipeline.inference.talking_head import TalkingHead
from pipeline.shards.clip_store import ClipStore

Row = dict[str, str | float]


def judge(head: TalkingHead, store: ClipStore, baselines: Sequence[str]) -> list[Row]:
    """The held-out clips by the baselines: all metrics of the registry, and for every fifth frame `csim`, the cosine of
    dlib's face descriptors of the generated and the real frame (1 for the same face), and `sharpness` as of crops.
    """
    clips, rows = StoredClips(store), []
    for name in store.ids("test"):
        clip = clips.load(name)
        real = find_landmarks(clip.frames_THWC)
        for baseline in baselines:
            frames = BASELINES[baseline].generate(head, clip).frames_THWC
            points = find_landmarks(frames)
            row: Row = {"clip": name, "method": baseline, **compare(clip.frames_THWC, frames, real, points)}
            rows.append({**row, **_identity(clip.frames_THWC, frames, real, points)})
    return rows


def _identity(
    real_THWC: NDArray[np.uint8],
    fake_THWC: NDArray[np.uint8],
    real_T68x2: NDArray[np.float32],
    fake_T68x2: NDArray[np.float32],
) -> dict[str, float]:
    alike, sharp = [], []
    for frame in range(EVERY, len(real_THWC), EVERY):
        sharp.append(measure_sharpness(np.asarray(cv2.cvtColor(fake_THWC[frame], cv2.COLOR_RGB2GRAY), np.uint8)))
        if np.isfinite(real_T68x2[frame]).all() and np.isfinite(fake_T68x2[frame]).all():
            one, two = (describe(real_THWC[frame], real_T68x2[frame]), describe(fake_THWC[frame], fake_T68x2[frame]))
            alike.append(one @ two / np.linalg.norm(one) / np.linalg.norm(two))
    return {"csim": float(np.mean(alike)) if alike else float("nan"), "sharpness": float(np.median(sharp))}
