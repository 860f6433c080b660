"""The face of the real and of the generated video, cut alike, so that only the face can differ."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.config.params import Extract, Landmarks
from pipeline.faces.align import align
from pipeline.faces.crop import CROP, SIZE, crop_face, onto_crop
from pipeline.faces.replay import Replay
from pipeline.faces.track import track_face
from pipeline.landmarks.points import STABLE
from pipeline.media import MediaError, read_frames
from pipeline.metrics.observe import find_landmarks
from pipeline.runtime.time_limit import TimedOut, limited

Alignment = Literal["real", "crop", "own"]
"""How a generated face was cut: by the transform of the real video; not at all, because the video is a crop of a face;
or by a transform of its own."""

MAX_SHIFT = 8.0
"""A face is in its place within this distance, in pixels of a 128x128 crop, ..."""
MAX_SCALE = 1.25
"""... and up to this factor in size."""
SAME_SHAPE = 0.02
"""Two videos have the same shape if their ratios of width to height differ by less, relatively."""
SEARCHED = 5
"""Frames in which a face is searched for to decide whether it is in its place."""
TIME_LIMIT = Extract.time_limit
"""Seconds without a frame after which a video is given up."""


class NotScored(Exception):
    """A clip cannot be measured; ``frames`` is its length if it is too short."""

    def __init__(self, reason: str, frames: int = 0) -> None:
        super().__init__(reason)
        self.frames = frames


@dataclass(frozen=True)
class Crops:
    """Crops (T, size, size, 3) of one video at 25 frames per second, and how they were cut."""

    frames_THWC: NDArray[np.uint8]
    transforms_T2x3: NDArray[np.float32]
    """From pixels of the video to pixels of a 128x128 crop."""
    video: Replay
    """The whole frames."""
    aligned: Alignment

    def shown(self) -> NDArray[np.bool_]:
        """Which pixels (T, size, size) of the crops lie within the video; the others repeat its border."""
        (height, width), size = self.video.size, self.frames_THWC.shape[1]
        onto = onto_crop(self.transforms_T2x3, size).astype(np.float64)
        rows, columns = np.mgrid[:size, :size]
        pixels_2N = np.stack([columns.ravel(), rows.ravel()])
        source_T2N = np.linalg.inv(onto[:, :, :2]) @ (pixels_2N - onto[:, :, 2:])
        # Coordinates are of the middle of a pixel, which reaches half a pixel to each side.
        limit_2 = np.array([width, height])[:, None] - 0.5
        inside_TN = ((source_T2N >= -0.5) & (source_T2N <= limit_2)).all(axis=1)
        return np.asarray(inside_TN.reshape(-1, size, size))

    def first(self, frames: int) -> "Crops":
        """The crops of the first frames."""
        video = Replay(lambda: islice(self.video, frames))
        video.size = self.video.size
        return Crops(self.frames_THWC[:frames], self.transforms_T2x3[:frames], video, self.aligned)


def crop_real(path: Path, size: int = SIZE) -> Crops:
    """Follow and align the face of a real video as the stage landmarks does.

    Raises NotScored if the video cannot be read or has no face.
    """
    video = _read_video(path)
    own = follow_face(video)
    if own is None:
        raise NotScored("no face is found in it")
    return Crops(cut(video, own, size), own, video, "real")


def crop_fake(path: Path, real: Crops | None, size: int = SIZE) -> Crops:
    """Cut the face of a generated video; the first of three ways that puts a face in its place is taken.

    1. By the transform of the real video, scaled to this video's size, if both have the same shape.
    2. As it is, if it is square: a crop of a face already.
    3. By a transform of its own.

    A video without any face is cut by the first possible way: it has lost its face, and is measured. Raises NotScored
    if the video cannot be read, or has no face and no possible way.
    """
    video = _read_video(path)
    frames = sum(1 for _ in video)
    tried = []
    for alignment, transforms in _transforms_to_try(video.size, real, frames):
        crops = Crops(cut(video, transforms, size), transforms, video, alignment)
        if _in_place(crops.frames_THWC):
            return crops
        tried.append(crops)
    own = follow_face(video)
    if own is not None:
        return Crops(cut(video, own, size), own, video, "own")
    if not tried:
        raise NotScored("no face is found in the generated video, and its shape is another than the real one's")
    return tried[0]


def _transforms_to_try(
    shape: tuple[int, int], real: Crops | None, frames: int
) -> Iterator[tuple[Alignment, NDArray[np.float32]]]:
    """The transforms (T, 2, 3) of the first two ways of `crop_fake`, where they are possible."""
    (height, width) = shape
    if real is not None:
        real_height, real_width = real.video.size
        if abs((width / height) / (real_width / real_height) - 1) < SAME_SHAPE:
            yield "real", _scaled_transforms(real, shape, frames)
    if abs(width / height - 1) < SAME_SHAPE:
        scale_2 = SIZE / np.array([width, height])
        whole_2x3 = np.column_stack([np.diag(scale_2), 0.5 * scale_2 - 0.5])
        yield "crop", np.tile(np.float32(whole_2x3), (frames, 1, 1))


def _scaled_transforms(real: Crops, shape: tuple[int, int], frames: int) -> NDArray[np.float32]:
    """The transforms of the real video for a video of another size; frames beyond its end have the last one."""
    (height, width), (real_height, real_width) = shape, real.video.size
    x, y = real_width / width, real_height / height
    onto_real = np.array([[x, 0, 0.5 * x - 0.5], [0, y, 0.5 * y - 0.5], [0, 0, 1]])
    chosen = np.minimum(np.arange(frames), len(real.transforms_T2x3) - 1)
    return np.asarray(real.transforms_T2x3[chosen].astype(np.float64) @ onto_real, np.float32)


def _in_place(crops_THWC: NDArray[np.uint8]) -> bool:
    """Whether most faces of some frames are at the place and of the size that crops have."""
    chosen = np.unique(np.linspace(0, len(crops_THWC) - 1, SEARCHED).astype(int))
    points = find_landmarks(crops_THWC[chosen])
    points = points[~np.isnan(points).any(axis=(1, 2))][:, STABLE]
    if not len(points):
        return False
    place = np.array(CROP.points)
    shift = np.linalg.norm(points.mean(axis=1) - place.mean(axis=0), axis=1)
    scale = _spread(points) / _spread(place[None])
    return bool(np.mean((shift < MAX_SHIFT) & (scale < MAX_SCALE) & (scale > 1 / MAX_SCALE)) > 0.5)


def _spread(points_TPx2: NDArray[np.floating]) -> NDArray[np.floating]:
    centre = points_TPx2.mean(axis=1, keepdims=True)
    return np.asarray(np.linalg.norm(points_TPx2 - centre, axis=(1, 2)))


def follow_face(video: Replay) -> NDArray[np.float32] | None:
    """The transforms (T, 2, 3) onto crops that follow the video's own face; None if no face is found."""
    params = Landmarks()
    track = track_face(video, params.detect_every)
    if not track.found_T.any():
        return None
    return align(track.points_T68x2, per_frame=False, smoothing=params.smoothing)


def cut(video: Replay, transforms_T2x3: NDArray[np.float32], size: int) -> NDArray[np.uint8]:
    """Crops (T, size, size, 3) of a video's frames."""
    onto = onto_crop(transforms_T2x3, size)
    return np.stack([crop_face(frame, transform, size) for frame, transform in zip(video, onto, strict=True)])


def _read_video(path: Path) -> Replay:
    """The video's frames at 25 per second. Iterating raises NotScored if the video cannot be read."""

    def read() -> Iterator[NDArray[np.uint8]]:
        try:
            yield from limited(TIME_LIMIT, read_frames(path))
        except MediaError as error:
            raise NotScored(error.reason) from None
        except TimedOut:
            raise NotScored(f"reading it hangs: nothing came for {TIME_LIMIT:g} s") from None
        except Exception as error:  # decoders of odd files raise anything
            raise NotScored(decoder_error(error)) from None

    return Replay(read)


def decoder_error(error: Exception) -> str:
    """The reason of a file whose decoder raised an unexpected exception."""
    return f"it cannot be decoded ({type(error).__name__}: {error})"
