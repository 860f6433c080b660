"""SyncNet over a clip: the user's weights, the pictures and the sound as it takes them, and its features of both.

Weights, crop and codec move the metrics that come of them, so `about` says which they were.
"""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.ndimage import median_filter
from torch import Tensor

from pipeline.evaluation.metrics.syncnet_distance import WEIGHTS
from pipeline.evaluation.observed import AudioTrack, VideoFeatures
from pipeline.evaluation.weights import weights_path
from pipeline.faces.crop import SIZE as FACE
from pipeline.faces.crop import rescale
from pipeline.inference.published.checkpoint import read_tensors
from pipeline.media.decode import need_stream, opened
from pipeline.models.syncnet import FRAMES, ROWS, SIZE, SyncNet
from pipeline.runtime.clock import SAMPLES_PER_FRAME
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath
from pipeline.speech.classic_mfcc import ClassicMfcc, classic_mfcc
from pipeline.speech.windows import PER_FRAME

FILE = "syncnet_v2.model"
"""As the authors' release of the weights is called."""
_SMOOTHED = 13  # frames over which the box's middle and size are the median
_MARGIN = 0.4  # of half the box's side: at the left and right, and twice as much below
_OUTSIDE = 110  # level of what lies beyond the picture's edge


class Weights(NamedTuple):
    """The network with its user's weights, in eval mode, and the file's hash."""

    network: SyncNet
    sha256: str


def syncnet_features(observed: VideoFeatures, heard: AudioTrack) -> tuple[Tensor, Tensor]:
    """SyncNet's features (W, 1024) of a clip's pictures, and (W, 1024) of its sound: what its metrics are given.

    Raises PipelineError saying why there are none: the user's weights are missing or others, no face is found, or the
    clip is shorter than 6 frames.
    """
    network = load_syncnet(weights_path(WEIGHTS)).network
    size = observed.frames_THWC.shape[1]
    boxes = face_boxes(rescale(observed.points_T68x2, FACE, size))
    seen, said = features(network, crop_for_syncnet(observed.frames_THWC, boxes), heard.samples_N)
    if not len(seen):
        raise PipelineError(f"SyncNet needs {FRAMES + 1} frames with sound.")
    return seen, said


@lru_cache(maxsize=1)
def load_syncnet(path: StrPath) -> Weights:
    """The user's ``syncnet_v2.model``. Nothing in the file is run.

    Raises PipelineError for another file, naming the first key that is wrong.
    """
    path, network = Path(path), SyncNet()
    tensors, shapes = read_tensors(path), {key: value.shape for key, value in network.state_dict().items()}
    advice = f"Give {FILE}, as SyncNet's authors publish it."
    for key, shape in shapes.items():
        if key not in tensors:
            raise PipelineError(f"{path} does not hold SyncNet: it lacks {key}. {advice}")
        if tensors[key].shape != shape:
            raise PipelineError(
                f"{path} does not hold SyncNet: {key} has shape {tuple(tensors[key].shape)} where {tuple(shape)} "
                f"belongs. {advice}"
            )
    if extra := next((key for key in tensors if key not in shapes), None):
        raise PipelineError(f"{path} does not hold SyncNet alone: {extra} does not belong to it. {advice}")
    network.load_state_dict(tensors)
    with path.open("rb") as file:
        return Weights(network.eval().requires_grad_(False), hashlib.file_digest(file, "sha256").hexdigest())


def features(network: SyncNet, pictures_THWC: NDArray[np.uint8], samples_N: NDArray[np.int16]) -> tuple[Tensor, Tensor]:
    """What SyncNet makes of the pictures and of the sound of a clip: twice (W, 1024), a row per window of 5 frames.

    ``pictures_THWC`` are RGB (T, 224, 224, 3), cut by `crop_for_syncnet`; ``samples_N`` mono at 16 kHz from the first
    frame on. W is min(T, N // 640) - 5; 0 for a shorter clip.
    """
    count = max(0, min(len(pictures_THWC), len(samples_N) // SAMPLES_PER_FRAME) - FRAMES)
    bgr_TCHW = torch.from_numpy(np.ascontiguousarray(pictures_THWC[: count + FRAMES - 1, :, :, ::-1])).permute(
        0, 3, 1, 2
    )
    with torch.inference_mode():
        seen = network.see(bgr_TCHW if count else bgr_TCHW[:0])
        return seen, network.hear(torch.from_numpy(sound_windows(samples_N, count)))


def sound_windows(samples_N: NDArray[np.int16], count: int) -> NDArray[np.float32]:
    """The MFCC (W, 13, 20) of ``count`` windows: of frame i the rows 4 i to 4 i + 20."""
    if not count:
        return np.zeros((0, 13, ROWS), np.float32)
    rows_RC = classic_mfcc(samples_N.astype(np.float64), ClassicMfcc())
    return sliding_window_view(rows_RC, ROWS, axis=0)[::PER_FRAME][:count].astype(np.float32)


def face_boxes(points_T68x2: NDArray[np.floating]) -> NDArray[np.float64]:
    """Boxes (T, 4), left, top, right and bottom, about faces' points, with the forehead above them: a quarter of the
    height from brows to chin. A frame without a face has the box of the nearest one with a face.

    Raises PipelineError without any face.
    """
    found = np.flatnonzero(~np.isnan(points_T68x2).any(axis=(1, 2)))
    if not len(found):
        raise PipelineError("SyncNet needs a face, and in no frame one is found.")
    numbers = np.arange(len(points_T68x2))
    points = points_T68x2[found[np.abs(numbers[:, None] - found).argmin(axis=1)]].astype(np.float64)
    low, high = points.min(axis=1), points.max(axis=1)
    low[:, 1] -= 0.25 * (high[:, 1] - low[:, 1])
    return np.concatenate([low, high], axis=1)


def crop_for_syncnet(
    frames_THWC: Sequence[NDArray[np.uint8]] | NDArray[np.uint8], boxes_Tx4: NDArray[np.floating]
) -> NDArray[np.uint8]:
    """The pictures (T, 224, 224, 3) that SyncNet sees of frames (H, W, 3) with the face's boxes (T, 4) in their pixels.

    As in the authors' release: the box's middle and half side s, each the median over 13 frames; of the square from s
    above the middle to 1.8 s below it, and 1.4 s to either side, grey (110) where there is no picture. At the clip's
    ends the first and last box are repeated.
    """
    boxes = boxes_Tx4.astype(np.float64)
    half = np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]) / 2
    track = np.stack([half, (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2], axis=1)
    track = median_filter(track, (_SMOOTHED, 1), mode="nearest")
    pictures = np.empty((len(frames_THWC), SIZE, SIZE, 3), np.uint8)
    for number, (frame, (s, x, y)) in enumerate(zip(frames_THWC, track, strict=True)):
        border = int(s * (1 + 2 * _MARGIN)) + 1
        padded = cv2.copyMakeBorder(
            frame, border, border, border, border, cv2.BORDER_CONSTANT, value=(_OUTSIDE, _OUTSIDE, _OUTSIDE)
        )
        top, bottom = int(y + border - s), int(y + border + s * (1 + 2 * _MARGIN))
        left, right = int(x + border - s * (1 + _MARGIN)), int(x + border + s * (1 + _MARGIN))
        pictures[number] = cv2.resize(padded[max(0, top) : bottom, max(0, left) : right], (SIZE, SIZE))
    return pictures


def about(video: StrPath | None) -> str:
    """What to print beside SyncNet's metrics: the weights' hash, the crop, and the codec, of frames from a file.

    Raises PipelineError where the user's weights are missing or others.
    """
    sha256 = load_syncnet(weights_path(WEIGHTS)).sha256
    codec = "none, frames as they were generated" if video is None else _codec(video)
    return (
        f"SyncNet: weights with SHA-256 {sha256}; crop: aligned face, box of the 68 points and the forehead, median "
        f"over {_SMOOTHED} frames, enlarged by {1 + _MARGIN}, {SIZE}x{SIZE}; codec: {codec}"
    )


def _codec(path: StrPath) -> str:
    """Codec, pixel format and rate, as ``h264, yuv420p, 412 kbit/s``; MediaError for what is not a video."""
    with opened(path) as container:
        video = need_stream(container, path, "video")
        rate = video.bit_rate or container.bit_rate
        parts = [video.codec_context.name, video.codec_context.pix_fmt, f"{rate / 1000:.0f} kbit/s" if rate else ""]
        return ", ".join(part for part in parts if part)
