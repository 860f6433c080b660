"""LSE-C, LSE-D and the offset of SyncNet (Chung and Zisserman, 2016), with the user's weights.

Values depend on the weights, the crop and the videos' codec.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.ndimage import median_filter
from torch import Tensor
from torchmetrics import Metric

from pipeline.faces.crop import SIZE as FACE
from pipeline.faces.crop import rescale
from pipeline.metrics.base import METRICS, ClipMetric, ExternalWeights, MetricEntry, NotComputed
from pipeline.metrics.observe import AudioTrack, VideoFeatures
from pipeline.models.syncnet import FRAMES, ROWS, SIZE, SyncNet
from pipeline.preprocessing.published.checkpoint import read_tensors
from pipeline.runtime.clock import SAMPLES_PER_FRAME
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath
from pipeline.speech.classic_mfcc import ClassicMfcc, classic_mfcc
from pipeline.speech.features import PER_FRAME

SYNCNET = ExternalWeights("ATVGNET_SYNCNET")
FILE = "syncnet_v2.model"
"""The authors' name of the weights."""
SHIFTS = 15
"""Frames by which the sound is shifted to either side."""
_SMOOTHED = 13  # frames in the median of the box's centre and size
_MARGIN = 0.4  # share of half the box's side, added left and right, and twice below
_OUTSIDE = 110  # level beyond the picture's edge
_EPSILON = 1e-6  # torch.nn.functional.pairwise_distance adds it to every difference


def syncnet_features(video: VideoFeatures, audio: AudioTrack) -> tuple[Tensor, Tensor]:
    """SyncNet's features (W, 1024) of a clip's frames, and (W, 1024) of its sound: the inputs of its metrics.

    Raises PipelineError for missing or wrong weights, and NotComputed if no face is found or the clip has fewer than 6
    frames.
    """
    network = load_syncnet(SYNCNET.path())
    boxes = face_boxes(rescale(video.points_T68x2, FACE, video.frames_THWC.shape[1]))
    of_frames, of_sound = features(network, crop_for_syncnet(video.frames_THWC, boxes), audio.samples_N)
    if not len(of_frames):
        raise NotComputed(f"SyncNet needs {FRAMES + 1} frames with sound")
    return of_frames, of_sound


@lru_cache(maxsize=1)
def load_syncnet(path: StrPath) -> SyncNet:
    """Load the user's ``syncnet_v2.model`` without running code in it.

    Raises PipelineError for another file, with its first wrong key.
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
    return network.eval().requires_grad_(False)


def features(network: SyncNet, pictures_THWC: NDArray[np.uint8], samples_N: NDArray[np.int16]) -> tuple[Tensor, Tensor]:
    """SyncNet's features of a clip's frames and sound: (W, 1024) each, a row per window of 5 frames.

    ``pictures_THWC`` are RGB (T, 224, 224, 3) from `crop_for_syncnet`; ``samples_N`` is mono at 16 kHz from the first
    frame on. W is min(T, N // 640) - 5; 0 for a shorter clip.
    """
    count = max(0, min(len(pictures_THWC), len(samples_N) // SAMPLES_PER_FRAME) - FRAMES)
    bgr_THWC = np.ascontiguousarray(pictures_THWC[: count + FRAMES - 1, :, :, ::-1])
    bgr_TCHW = torch.from_numpy(bgr_THWC).permute(0, 3, 1, 2)
    with torch.inference_mode():
        of_frames = network.see(bgr_TCHW if count else bgr_TCHW[:0])
        return of_frames, network.hear(torch.from_numpy(sound_windows(samples_N, count)))


def sound_windows(samples_N: NDArray[np.int16], count: int) -> NDArray[np.float32]:
    """The MFCC (W, 13, 20) of ``count`` windows: rows 4 i to 4 i + 20 for frame i."""
    if not count:
        return np.zeros((0, 13, ROWS), np.float32)
    rows_RC = classic_mfcc(samples_N.astype(np.float64), ClassicMfcc())
    return sliding_window_view(rows_RC, ROWS, axis=0)[::PER_FRAME][:count].astype(np.float32)


def face_boxes(points_T68x2: NDArray[np.floating]) -> NDArray[np.float64]:
    """Boxes (T, 4), left, top, right and bottom, of faces' points and of the forehead above them.

    The forehead has a quarter of the height from brows to chin. A frame without a face gets the box of the nearest
    frame with one. Raises NotComputed without any face.
    """
    with_face = np.flatnonzero(~np.isnan(points_T68x2).any(axis=(1, 2)))
    if not len(with_face):
        raise NotComputed("SyncNet needs a face, and in no frame one is found")
    numbers = np.arange(len(points_T68x2))
    points = points_T68x2[with_face[np.abs(numbers[:, None] - with_face).argmin(axis=1)]].astype(np.float64)
    low, high = points.min(axis=1), points.max(axis=1)
    low[:, 1] -= 0.25 * (high[:, 1] - low[:, 1])
    return np.concatenate([low, high], axis=1)


def crop_for_syncnet(
    frames_THWC: Sequence[NDArray[np.uint8]] | NDArray[np.uint8], boxes_Tx4: NDArray[np.floating]
) -> NDArray[np.uint8]:
    """SyncNet's pictures (T, 224, 224, 3) of frames (H, W, 3) with face boxes (T, 4) in their pixels.

    As in the authors' release, the box's centre and half side s are medians over 13 frames, and the picture reaches
    from s above the centre to 1.8 s below it, and 1.4 s to either side. It is grey (110) outside the frame. The first
    and last box are repeated at the clip's ends.
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


def mean_distances(frames_WD: NDArray[np.floating], sound_WD: NDArray[np.floating]) -> NDArray[np.float64]:
    """The mean distance (31,) of the frames' features from the sound's features s frames later, s = -15 to 15.

    d_s = 1/W sum_w || frames_w - sound_(w+s) + 1e-6 ||_2, with zeros beyond the sound's ends. NaN for W = 0.
    """
    windows, shifts = len(frames_WD), range(2 * SHIFTS + 1)
    if not windows:
        return np.full(len(shifts), np.nan)
    frames, padded = frames_WD.astype(np.float64), np.pad(sound_WD.astype(np.float64), ((SHIFTS, SHIFTS), (0, 0)))
    return np.array([np.linalg.norm(frames - padded[s : s + windows] + _EPSILON, axis=1).mean() for s in shifts])


def lse_d(frames_WD: NDArray[np.floating], sound_WD: NDArray[np.floating]) -> float:
    """LSE-D: the smallest of `mean_distances`."""
    return float(mean_distances(frames_WD, sound_WD).min())


def lse_c(frames_WD: NDArray[np.floating], sound_WD: NDArray[np.floating]) -> float:
    """LSE-C, SyncNet's confidence: the median of `mean_distances` minus the smallest."""
    distances = mean_distances(frames_WD, sound_WD)
    return float(np.median(distances) - distances.min())


def syncnet_offset(frames_WD: NDArray[np.floating], sound_WD: NDArray[np.floating]) -> float:
    """Frames by which the pictures lag the sound: minus the shift with the smallest of `mean_distances`."""
    distances = mean_distances(frames_WD, sound_WD)
    return float("nan") if np.isnan(distances).all() else float(SHIFTS - distances.argmin())


def _syncnet_metric(function: Callable[..., float]) -> Metric:
    """Raises PipelineError if the user's weights are missing."""
    SYNCNET.path()
    return ClipMetric(function)


_SYNCNET_ENTRY = partial(
    MetricEntry,
    compares="syncnet",
    source="Chung and Zisserman, ACCV Workshops 2016; Prajwal et al., ACM Multimedia 2020",
    real=False,
    weights=SYNCNET,
)
# fmt: off
METRICS.add(
    _SYNCNET_ENTRY("lse_c", "LSE-C", partial(_syncnet_metric, lse_c), unit="distance", higher_is_better=True,
        about="SyncNet's confidence that lips and sound go together.",
        url="https://arxiv.org/abs/2008.10010"),
    _SYNCNET_ENTRY("lse_d", "LSE-D", partial(_syncnet_metric, lse_d), unit="distance",
        about="SyncNet's distance between lips and sound.",
        url="https://arxiv.org/abs/2008.10010"),
    _SYNCNET_ENTRY("syncnet_offset", "SyncNet's offset", partial(_syncnet_metric, syncnet_offset),
        unit="frames the lips are late", digits=2, nearest="0",
        about="By how many frames the lips come after the sound, by SyncNet."),
)
# fmt: on
