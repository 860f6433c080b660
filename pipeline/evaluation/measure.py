"""What is seen and heard of a clip, and how a generated one is measured beside the real one."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics import Metric

from pipeline.evaluation.metrics.base import MetricEntry
from pipeline.evaluation.metrics.syncnet_distance import WEIGHTS
from pipeline.evaluation.observed import AudioTrack, VideoFeatures
from pipeline.evaluation.registry import DECIDING, METRICS
from pipeline.evaluation.spoken import Transcript
from pipeline.evaluation.syncnet import load_syncnet, syncnet_features
from pipeline.evaluation.weights import missing, weights_path
from pipeline.faces.crop import SIZE, rescale
from pipeline.faces.detect import Box, detect_faces, levels_above
from pipeline.faces.identity import describe
from pipeline.faces.shape_predictor import predict_landmarks
from pipeline.runtime.clock import SAMPLES_PER_FRAME
from pipeline.runtime.errors import PipelineError
from pipeline.speech.phonemes import Phoneme

SMALLEST = 40.0
"""Pixels of a face of 128x128 from which on dlib finds one."""
USUAL = 83.0
"""Pixels of a box in a crop of 128x128, which has 90 as a rule: where none is found of this side or more, smaller faces
are searched for too. The box is the same to the pixel as that of the whole search, in a third of the time."""
IDENTITY_EVERY = 50
"""One frame in so many is described, which takes as long as to measure ten otherwise."""

CHUNK = 8
"""Frames that a metric of pictures is given at a time, which fit the processor's cache."""

Given = tuple[Tensor, ...] | str
"""What a metric's `update` is given, or why there is nothing to give."""


@dataclass(frozen=True)
class Measured:
    """The metrics of one clip by one method."""

    values: dict[str, float]
    """Finite, by the metric's name."""
    absent: dict[str, str] = field(default_factory=dict)
    """Why, of each metric that is not among them."""


def find_landmarks(frames_THWC: NDArray[np.uint8]) -> NDArray[np.float32]:
    """dlib's 68 points (T, 68, 2) of square frames, NaN where it finds no face. Runs in worker processes.

    They are in pixels of a face of 128x128, whatever the frames' size, so that metrics of both sizes are comparable;
    larger frames are searched for faces as large in proportion.
    """
    cv2.setNumThreads(0)
    size = frames_THWC.shape[1]
    points = np.full((len(frames_THWC), 68, 2), np.nan, np.float32)
    boxes = {}
    for number, frame in enumerate(frames_THWC):
        box = _find_box(frame)
        if box is not None:
            boxes[number] = box
    if boxes:
        points[list(boxes)] = predict_landmarks([frames_THWC[number] for number in boxes], list(boxes.values()))
    return rescale(points, size, SIZE)


def _find_box(frame_HWC: NDArray[np.uint8]) -> Box | None:
    scale = frame_HWC.shape[0] / SIZE
    faces = detect_faces(frame_HWC, levels_above(USUAL * scale))
    if not faces or faces[0].right - faces[0].left < USUAL * scale:
        faces = detect_faces(frame_HWC, levels_above(SMALLEST * scale))
    return faces[0] if faces else None


def observe(frames_THWC: NDArray[np.uint8], points_T68x2: NDArray[np.float32] | None = None) -> VideoFeatures:
    """What is seen of a clip's square RGB crops (T, size, size, 3). Runs in worker processes.

    The faces of a picture that stands still are searched for once. ``points_T68x2`` are the landmarks where they are
    known, in pixels of a face of 128x128.
    """
    frames = len(frames_THWC)
    still = points_T68x2 is None and frames > 1 and bool((frames_THWC == frames_THWC[:1]).all())
    searched = frames_THWC[:1] if still else frames_THWC
    points = find_landmarks(searched) if points_T68x2 is None else points_T68x2
    chosen = range(0 if len(searched) < IDENTITY_EVERY else IDENTITY_EVERY // 2, len(searched), IDENTITY_EVERY)
    identity = np.stack([describe_face(searched[number], points[number]) for number in chosen])
    return VideoFeatures(frames_THWC, np.broadcast_to(points, (frames, 68, 2)), identity)


def describe_face(crop_HWC: NDArray[np.uint8], points_68x2: NDArray[np.float32]) -> NDArray[np.float32]:
    """dlib's face descriptor (128,) of a crop of any size, with its points in pixels of a face of 128x128; NaN where
    they are.
    """
    if np.isnan(points_68x2).any():
        return np.full(128, np.nan, np.float32)
    return describe(crop_HWC, rescale(points_68x2, SIZE, crop_HWC.shape[0])).astype(np.float32)


def hear(samples_N: NDArray[np.int16], frames: int, phonemes_T: NDArray[np.int8] | None = None) -> AudioTrack:
    """What is heard of a clip's sound, mono at 16 kHz, beside T ``frames``: padded with silence, or cut, to fit."""
    length = frames * SAMPLES_PER_FRAME
    fitted = np.zeros(length, np.int16)
    fitted[: len(samples_N)] = samples_N[:length]
    blocks = fitted.reshape(frames, SAMPLES_PER_FRAME).astype(np.float32) / 32768
    return AudioTrack(fitted, np.sqrt(np.square(blocks).mean(axis=1)), phonemes_T)


def compare(
    real: VideoFeatures | None,
    fake: VideoFeatures,
    reference_128: NDArray[np.float32] | None = None,
    heard: AudioTrack | None = None,
    *,
    same_face: bool = True,
) -> Measured:
    """All metrics of one clip, over all its frames.

    ``real`` is None where there is no real clip, ``reference_128`` is the face descriptor of the reference picture,
    ``heard`` the sound. Frames of both, and of the sound, are the same T. Without ``same_face`` the real clip is of
    another person, and only metrics that hold across faces are set against it.
    """
    inputs = _Inputs(real, fake, reference_128, heard, same_face)
    metrics: dict[str, Metric] = {}
    values: dict[str, float] = {}
    absent: dict[str, str] = {}
    for name, entry in METRICS.items():
        given = inputs.of(entry)
        if isinstance(given, str):
            absent[name] = given
            continue
        metrics[name] = entry.make()
        if entry.compares != "frames":
            metrics[name].update(*given)
    of_pictures = [name for name in metrics if METRICS[name].compares == "frames"]
    for alone, pair in inputs.frames():  # to all metrics while they are in the cache, and converted once
        for name in of_pictures:
            metrics[name].update(*(pair if METRICS[name].real else alone))
    for name, metric in metrics.items():
        value = float(metric.compute())
        if math.isfinite(value):
            values[name] = value
        else:
            absent[name] = inputs.nothing(METRICS[name])
    return Measured(values, absent)


def by_part(real: VideoFeatures, fake: VideoFeatures, said: Transcript) -> dict[str, float]:
    """The deciding metric over the frames of each word and of each class of phoneme, where both faces are found:
    ``{"word:blue": ..., "phoneme:BILABIAL": ...}``.
    """
    words_T, phonemes_T = said.words_T, said.phonemes_T
    parts = {} if words_T is None else {f"word:{word}": words_T == word for word in np.unique(words_T) if word}
    if phonemes_T is not None:
        parts |= {f"phoneme:{one.name}": phonemes_T == one for one in Phoneme if one != Phoneme.UNKNOWN}
    values = {}
    for part, frames_T in parts.items():
        metric = METRICS[DECIDING].make()
        if frames_T.any():
            metric.update(_tensor(fake.points_T68x2[frames_T]), _tensor(real.points_T68x2[frames_T]))
            value = float(metric.compute())
            if math.isfinite(value):
                values[part] = value
    return values


class _Inputs:
    """What the metrics are given, each kind made once, when it is first asked for."""

    def __init__(
        self,
        real: VideoFeatures | None,
        fake: VideoFeatures,
        reference_128: NDArray[np.float32] | None,
        heard: AudioTrack | None,
        same_face: bool,
    ) -> None:
        self.real, self.fake, self.reference_128, self.heard = real, fake, reference_128, heard
        self.same_face = same_face
        self.kinds: dict[str, Callable[[], Given]] = {
            "frames": tuple,  # `frames` gives them, a few at a time
            "landmarks": lambda: (_tensor(fake.points_T68x2), _tensor((real or fake).points_T68x2)),
            "shapes": lambda: self._shapes((real or fake).shapes_T68x2),
            "drawn": lambda: self._pair(fake.drawn_T68x2, real.points_T68x2 if real else None),
            "coefficients": lambda: self._pair(fake.coefficients_TK, real.coefficients_TK if real else None),
            "identity": self._identity,
            "loudness": lambda: "there is no sound" if heard is None else self._shapes(heard.loudness_T),
            "phonemes": self._phonemes,
            "syncnet": cache(self._syncnet),
        }

    def of(self, entry: MetricEntry) -> Given:
        """``(preds, target)`` or ``(preds,)`` for its `update`, or why it cannot be computed."""
        if entry.real and self.real is None:
            return "there is no real clip"
        if entry.real and not entry.across and not self.same_face:
            return "the real clip is of another person"
        if entry.weights and (lacks := missing(entry.weights)):
            return lacks
        given = self.kinds[entry.compares]()
        alone = not entry.real and entry.compares in ("landmarks", "shapes")
        return given[:1] if alone and not isinstance(given, str) else given

    def frames(self) -> Iterator[tuple[tuple[Tensor, ...], tuple[Tensor, ...]]]:
        """The generated frames alone, and with the real ones where there are any, (T, 3, H, W) in [0, 1], `CHUNK` at a
        time. Beside the real ones, pixels that one of both videos does not show are NaN in both.
        """
        clips = [seen for seen in (self.fake, self.real) if seen is not None]
        for start in range(0, len(self.fake.frames_THWC), CHUNK):
            few = slice(start, start + CHUNK)
            levels = (_tensor(one.frames_THWC[few]) for one in clips)
            pair = tuple((one_THWC.float() / 255.0).permute(0, 3, 1, 2).contiguous() for one_THWC in levels)
            hidden = [~_tensor(one.shown_THW[few]) for one in clips if one.shown_THW is not None]
            alone = pair[:1]
            for hidden_THW in hidden if len(clips) > 1 else ():
                pair = tuple(one.masked_fill(hidden_THW[:, None], torch.nan) for one in pair)
            yield alone, pair

    def nothing(self, entry: MetricEntry) -> str:
        """Why a metric that was computed has no value."""
        if entry.compares in ("frames", "coefficients"):
            return "nothing to compare"
        if _lost(self.fake):
            return "no face is found in the pictures"
        if entry.real and self.real is not None and _lost(self.real):
            return "no face is found in the real pictures"
        return "too little to compare"

    def _shapes(self, target: NDArray[np.generic]) -> Given:
        return _tensor(self.fake.shapes_T68x2), _tensor(target)

    def _identity(self) -> Given:
        if self.reference_128 is None or np.isnan(self.reference_128).any():
            return "there is no reference picture with a face"
        return _tensor(self.fake.identity_Nx128), _tensor(self.reference_128)

    def _phonemes(self) -> Given:
        if self.heard is None:
            return "there is no sound"
        if self.heard.phonemes_T is None:
            return "the text is not known, or the times of its phonemes are not"
        return self._shapes(self.heard.phonemes_T)

    def _syncnet(self) -> Given:
        if self.heard is None:
            return "there is no sound"
        load_syncnet(weights_path(WEIGHTS))  # others than SyncNet's are for the user to put right, not for a row
        try:
            return syncnet_features(self.fake, self.heard)
        except PipelineError as error:
            return str(error).rstrip(".")

    @staticmethod
    def _pair(fake: NDArray[np.floating] | None, real: NDArray[np.floating] | None) -> Given:
        return "no landmarks were predicted" if fake is None or real is None else (_tensor(fake), _tensor(real))


def _lost(seen: VideoFeatures) -> bool:
    """Whether no frame has a face."""
    return bool(np.isnan(seen.points_T68x2).any(axis=(1, 2)).all())


def _tensor(array: NDArray[np.generic]) -> Tensor:
    return torch.from_numpy(array if array.flags.writeable else array.copy())  # torch takes nothing that is broadcast
