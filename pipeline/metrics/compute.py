"""All metrics of one generated clip, measured against the real one."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics import Metric

from pipeline.metrics.base import DECIDING, METRICS, Compares, MetricEntry, NotComputed
from pipeline.metrics.observe import AudioTrack, VideoFeatures
from pipeline.metrics.syncnet import syncnet_features
from pipeline.metrics.transcript import Transcript
from pipeline.speech.phonemes import Phoneme

CHUNK = 8
"""Frames that metrics of frames get at a time: they fit the processor's cache."""

Inputs = tuple[Tensor, ...]
"""The arguments of a metric's `update`: ``(preds, target)`` or ``(preds,)``."""


@dataclass(frozen=True)
class MetricValues:
    """The metrics of one clip by one method."""

    values: dict[str, float]
    """Finite values by metric."""
    absent: dict[str, str] = field(default_factory=dict)
    """By metric the reason why it has no value."""


@dataclass(frozen=True)
class _Clip:
    """A generated clip and what it is measured against."""

    fake: VideoFeatures
    real: VideoFeatures | None
    reference_128: NDArray[np.float32] | None
    audio: AudioTrack | None

    @cached_property
    def syncnet(self) -> Inputs:
        """SyncNet's features, which several metrics share."""
        assert self.audio is not None
        return syncnet_features(self.fake, self.audio)


def compute_metrics(
    real: VideoFeatures | None,
    fake: VideoFeatures,
    reference_128: NDArray[np.float32] | None = None,
    audio: AudioTrack | None = None,
    *,
    same_face: bool = True,
) -> MetricValues:
    """Compute all metrics of one clip, over all its frames.

    Args:
        real: The real clip, of as many frames; None if there is none.
        fake: The generated clip.
        reference_128: The face descriptor of the reference picture.
        audio: The sound of as many frames.
        same_face: Whether both clips show the same person. If not, only metrics that hold across faces use ``real``.

    Returns:
        A finite value or a reason for each metric.

    Raises:
        PipelineError: A file of external weights holds something else.
    """
    alone = _Clip(fake, None, reference_128, audio)
    pair = replace(alone, real=real)
    metrics: dict[str, Metric] = {}
    absent: dict[str, str] = {}
    for name, entry in METRICS.items():
        try:
            _require(entry, real, same_face)
            metric = entry.make()
            if entry.compares != "frames":
                metric.update(*_inputs(entry.compares, pair if entry.real else alone))
            metrics[name] = metric
        except NotComputed as reason:
            absent[name] = str(reason)
    of_frames = [name for name in metrics if METRICS[name].compares == "frames"]
    for generated, both in _frame_chunks(fake, real):  # all metrics while the frames are cached
        for name in of_frames:
            metrics[name].update(*(both if METRICS[name].real else generated))
    values: dict[str, float] = {}
    for name, metric in metrics.items():
        value = float(metric.compute())
        if math.isfinite(value):
            values[name] = value
        else:
            absent[name] = _why_no_value(METRICS[name], real, fake)
    return MetricValues(values, absent)


def lmd_by_part(real: VideoFeatures, fake: VideoFeatures, transcript: Transcript) -> dict[str, float]:
    """The deciding metric over the frames of each word and of each class of phoneme.

    ``{"word:blue": ..., "phoneme:BILABIAL": ...}``, without parts in which both faces are never found.
    """
    words_T, phonemes_T = transcript.words_T, transcript.phonemes_T
    parts = {} if words_T is None else {f"word:{word}": words_T == word for word in np.unique(words_T) if word}
    if phonemes_T is not None:
        parts |= {f"phoneme:{one.name}": phonemes_T == one for one in Phoneme if one != Phoneme.UNKNOWN}
    values = {}
    for part, frames_T in parts.items():
        metric = METRICS[DECIDING].make()
        if frames_T.any():
            metric.update(*_tensors(fake.points_T68x2[frames_T], real.points_T68x2[frames_T]))
            value = float(metric.compute())
            if math.isfinite(value):
                values[part] = value
    return values


def _require(entry: MetricEntry, real: VideoFeatures | None, same_face: bool) -> None:
    """Raise NotComputed if the metric cannot be computed for any such clip."""
    if entry.real and real is None:
        raise NotComputed("there is no real clip")
    if entry.real and not entry.across and not same_face:
        raise NotComputed("the real clip is of another person")
    if entry.weights and (problem := entry.weights.problem()):
        raise NotComputed(problem)


def _inputs(compares: Compares, clip: _Clip) -> Inputs:
    """What a metric of anything but frames, which come in chunks, compares. Raises NotComputed if the clip lacks it."""
    fake, real, audio = clip.fake, clip.real, clip.audio
    if audio is None and compares in ("loudness", "phonemes", "syncnet"):
        raise NotComputed("there is no sound")
    if compares == "syncnet":
        return clip.syncnet
    videos = [fake] if real is None else [fake, real]
    inputs: dict[Compares, list[NDArray[Any] | None]] = {
        "landmarks": [video.points_T68x2 for video in videos],
        "shapes": [video.shapes_T68x2 for video in videos],
        "drawn": [fake.drawn_T68x2, real.points_T68x2 if real else None],
        "coefficients": [fake.coefficients_TK, real.coefficients_TK if real else None],
        "identity": [fake.identity_Nx128, clip.reference_128],
        "loudness": [fake.shapes_T68x2, audio.loudness_T if audio else None],
        "phonemes": [fake.shapes_T68x2, audio.phonemes_T if audio else None],
    }
    arrays = [array for array in inputs[compares] if array is not None]
    if len(arrays) < len(inputs[compares]) or (compares == "identity" and np.isnan(arrays[1]).any()):
        raise NotComputed(_LACKING[compares])
    return _tensors(*arrays)


_LACKING: dict[Compares, str] = {
    "drawn": "no landmarks were predicted",
    "coefficients": "no landmarks were predicted",
    "identity": "there is no reference picture with a face",
    "phonemes": "the text is not known, or the times of its phonemes are not",
}


def _frame_chunks(fake: VideoFeatures, real: VideoFeatures | None) -> Iterator[tuple[Inputs, Inputs]]:
    """The generated frames alone, and with the real ones, (T, 3, H, W) in [0, 1], `CHUNK` at a time.

    Beside the real frames, pixels that one of the videos does not show are NaN in both.
    """
    videos = [fake] if real is None else [fake, real]
    for start in range(0, len(fake.frames_THWC), CHUNK):
        chunk = slice(start, start + CHUNK)
        levels = _tensors(*(video.frames_THWC[chunk] for video in videos))
        frames = both = tuple((one_THWC.float() / 255.0).permute(0, 3, 1, 2).contiguous() for one_THWC in levels)
        if real is not None:
            for hidden_THW in _tensors(*(~video.shown_THW[chunk] for video in videos if video.shown_THW is not None)):
                both = tuple(one.masked_fill(hidden_THW[:, None], torch.nan) for one in both)
        yield frames[:1], both


def _why_no_value(entry: MetricEntry, real: VideoFeatures | None, fake: VideoFeatures) -> str:
    """Why a metric that was computed has no value."""
    if entry.compares in ("frames", "coefficients"):
        return "nothing to compare"
    if not fake.has_face:
        return "no face is found in the pictures"
    if entry.real and real is not None and not real.has_face:
        return "no face is found in the real pictures"
    return "too little to compare"


def _tensors(*arrays: NDArray[np.generic]) -> Inputs:
    """The arrays as tensors; torch does not accept read-only arrays."""
    return tuple(torch.from_numpy(array if array.flags.writeable else array.copy()) for array in arrays)
