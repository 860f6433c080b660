"""What models make of clips they have not seen, beside the real ones: a row per clip."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.clips import StoredClips
from pipeline.evaluation.evaluate import measure
from pipeline.evaluation.measure import describe_face, find_landmarks
from pipeline.evaluation.registry import BASELINES, METRICS
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
        generated = {baseline: BASELINES[baseline].generate(head, clip) for baseline in baselines}
        measured = measure(clip, dict(generated), clips.samples(name))
        for (row, *_), one in zip(measured, generated.values(), strict=True):
            found = {metric: row.get(metric, float("nan")) for metric in METRICS}
            identity = _identity(clip.frames_THWC, one.frames_THWC)
            rows.append({"clip": name, "method": row["method"], **found, **identity})
    return rows


def _identity(real_THWC: NDArray[np.uint8], fake_THWC: NDArray[np.uint8]) -> dict[str, float]:
    real, fake = (frames[EVERY::EVERY] for frames in (real_THWC, fake_THWC))
    sharp = [measure_sharpness(np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8)) for frame in fake]
    pairs = zip(*([*map(describe_face, frames, find_landmarks(frames))] for frames in (real, fake)), strict=True)
    alike = [one @ two / np.linalg.norm(one) / np.linalg.norm(two) for one, two in pairs]
    known = [one for one in alike if np.isfinite(one)]
    return {"csim": float(np.mean(known)) if known else float("nan"), "sharpness": float(np.median(sharp))}
