"""Faces of the real and the generated video cut alike, so that what differs is the face and not the cut."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.config.params import Landmarks
from pipeline.faces.align import align
from pipeline.faces.crop import CROP, SIZE, crop_face, onto_crop
from pipeline.faces.replay import Replay
from pipeline.faces.track import track_face
from pipeline.landmarks.points import STABLE
from pipeline.media import MediaError, read_frames
from pipeline.metrics.observe import find_landmarks
from pipeline.runtime.time_limit import TimedOut, limited

Aligned = Literal["real", "crop", "own"]
"""How a generated face was laid upright: as the real one, by its transform; not at all, since the video is a crop of a
face already; or by itself."""

ASTRAY = 8.0
"""Pixels of a 128x128 crop by which a face may be away from its place."""
LARGER = 1.25
"""How many times as large or small as it should be a face may be."""
SAME_SHAPE = 0.02
"""Ratios of width to height that differ by less are the same."""
SEARCHED = 5
"""Frames in which a face is searched for to see whether it stands in its place."""
TIME_LIMIT = 60.0
"""Seconds without a frame after which a video is given up."""


class NotScored(Exception):
    """Why a clip cannot be measured; ``frames`` is how many it has, where that is the reason."""

    def __init__(self, reason: str, frames: int = 0) -> None:
        super().__init__(reason)
        self.frames = frames


@dataclass(frozen=True)
class Crops:
    """Crops (T, size, size, 3) at 25 per second, and how they were cut."""

    frames_THWC: NDArray[np.uint8]
    transforms_T2x3: NDArray[np.float32]
    """From pixels of the video to those of a crop of 128x128."""
    video: Replay
    """The whole frames."""
    aligned: Aligned

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the video."""
        return self.video.size

    def shown(self) -> NDArray[np.bool_]:
        """Which pixels (T, size, size) of the crops lie within the video. Beyond its border the edge is repeated."""
        (height, width), size = self.shape, self.frames_THWC.shape[1]
        onto = onto_crop(self.transforms_T2x3, size).astype(np.float64)
        rows, columns = np.mgrid[:size, :size]
        pixels_2N = np.stack([columns.ravel(), rows.ravel()])
        source_T2N = np.linalg.inv(onto[:, :, :2]) @ (pixels_2N - onto[:, :, 2:])
        # A pixel reaches half a pixel to each side of its middle, which has whole coordinates.
        limit_2 = np.array([width, height])[:, None] - 0.5
        inside_TN = ((source_T2N >= -0.5) & (source_T2N <= limit_2)).all(axis=1)
        return np.asarray(inside_TN.reshape(-1, size, size))

    def first(self, frames: int) -> "Crops":
        """Those of its first frames."""
        video = Replay(lambda: islice(self.video, frames))
        video.size = self.video.size
        return Crops(self.frames_THWC[:frames], self.transforms_T2x3[:frames], video, self.aligned)


def crop_real(path: Path, size: int = SIZE) -> Crops:
    """The face of a video, followed and aligned as the stage landmarks does. Raises NotScored where there is none."""
    video = _replay(path)
    own = follow(video)
    if own is None:
        raise NotScored("no face is found in the real video")
    return Crops(cut(video, own, size), own, video, "real")


def crop_fake(path: Path, real: Crops | None, size: int = SIZE) -> Crops:
    """The face of a generated video: under the real one's transform, moved to this video's size, where the face then
    stands in its place; else as it is, where the video is a crop of a face already; else aligned by itself.

    A video in which no face is found is cut by the first of these that can be: it has lost its face, and is measured.
    Raises NotScored where the video cannot be read.
    """
    video = _replay(path)
    frames = sum(1 for _ in video)
    tried = []
    for how, transforms in _candidates(video.size, real, frames):
        crops = Crops(cut(video, transforms, size), transforms, video, how)
        if in_place(crops.frames_THWC):
            return crops
        tried.append(crops)
    own = follow(video)
    if own is not None:
        return Crops(cut(video, own, size), own, video, "own")
    if not tried:
        raise NotScored("no face is found in the generated video, and its shape is another than the real one's")
    return tried[0]


def _candidates(
    shape: tuple[int, int], real: Crops | None, frames: int
) -> Iterator[tuple[Aligned, NDArray[np.float32]]]:
    if real is not None and abs(_ratio(shape) / _ratio(real.shape) - 1) < SAME_SHAPE:
        yield "real", _moved(real, shape, frames)
    if abs(_ratio(shape) - 1) < SAME_SHAPE:
        whole = [[SIZE / side if row == column else 0.0 for column in range(2)] for row, side in enumerate(shape[::-1])]
        shift = [0.5 * SIZE / side - 0.5 for side in shape[::-1]]
        yield "crop", np.tile(np.float32(np.column_stack([whole, shift])), (frames, 1, 1))


def _moved(real: Crops, shape: tuple[int, int], frames: int) -> NDArray[np.float32]:
    """The real one's transforms for a video of another size; the last one for frames beyond its end."""
    (height, width), (real_height, real_width) = shape, real.shape
    x, y = real_width / width, real_height / height
    onto_real = np.array([[x, 0, 0.5 * x - 0.5], [0, y, 0.5 * y - 0.5], [0, 0, 1]])
    chosen = np.minimum(np.arange(frames), len(real.transforms_T2x3) - 1)
    return np.asarray(real.transforms_T2x3[chosen].astype(np.float64) @ onto_real, np.float32)


def in_place(crops_THWC: NDArray[np.uint8]) -> bool:
    """Whether faces are found where crops have them, in most of a few frames in which any is."""
    chosen = np.unique(np.linspace(0, len(crops_THWC) - 1, SEARCHED).astype(int))
    points = find_landmarks(crops_THWC[chosen])
    points = points[~np.isnan(points).any(axis=(1, 2))][:, STABLE]
    if not len(points):
        return False
    place = np.array(CROP.points)
    away = np.linalg.norm(points.mean(axis=1) - place.mean(axis=0), axis=1)
    grown = _spread(points) / _spread(place[None])
    return bool(np.median((away < ASTRAY) & (grown < LARGER) & (grown > 1 / LARGER)) == 1)


def _spread(points_TPx2: NDArray[np.floating]) -> NDArray[np.floating]:
    middle = points_TPx2.mean(axis=1, keepdims=True)
    return np.asarray(np.linalg.norm(points_TPx2 - middle, axis=(1, 2)))


def follow(video: Replay) -> NDArray[np.float32] | None:
    """The transforms (T, 2, 3) onto crops that follow a video's own face; None where no face is found."""
    params = Landmarks()
    track = track_face(video, params.detect_every)
    if not track.found_T.any():
        return None
    return align(track.points_T68x2, per_frame=False, smoothing=params.smoothing)


def cut(video: Replay, transforms_T2x3: NDArray[np.float32], size: int) -> NDArray[np.uint8]:
    """Crops (T, size, size, 3) of a video's frames."""
    onto = onto_crop(transforms_T2x3, size)
    return np.stack([crop_face(frame, one, size) for frame, one in zip(video, onto, strict=True)])


def _replay(path: Path) -> Replay:
    """The video's frames at 25 per second; NotScored where it cannot be read."""

    def read() -> Iterator[NDArray[np.uint8]]:
        try:
            yield from limited(TIME_LIMIT, read_frames(path))
        except MediaError as error:
            raise NotScored(error.reason) from None
        except TimedOut:
            raise NotScored(f"reading it hangs: nothing came for {TIME_LIMIT:g} s") from None
        except Exception as error:  # decoders of odd files raise anything
            raise NotScored(told(error)) from None

    return Replay(read)


def told(error: Exception) -> str:
    """An exception that nobody foresaw as the reason of one file."""
    return f"it cannot be decoded ({type(error).__name__}: {error})"


def _ratio(shape: tuple[int, int]) -> float:
    return shape[1] / shape[0]
