"""Dubbing: the frames of a video, with another mouth."""

# ruff: noqa: D102  # `View` documents the methods
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.config.params import FaceRule
from pipeline.faces.crop import CropGeometry, crop_face
from pipeline.inference.compositing.base import Painted, View
from pipeline.inference.compositing.photograph import Photograph, shown_size
from pipeline.inference.tracked import track
from pipeline.landmarks.points import COUNT, MOUTH
from pipeline.landmarks.shape import mouth_opening
from pipeline.media import read_frames
from pipeline.preprocessing.base import Reference
from pipeline.runtime.clock import FPS

log = logging.getLogger(__name__)
_NOSE = slice(31, 36)  # its lower edge, which does not move with speech
_JAW = 17


@dataclass(frozen=True, kw_only=True)
class Shot(Reference):
    """A frame of the video as the reference of a generated frame."""

    picture_HWC: NDArray[np.uint8]


class Footage(View):
    """A `View` of the whole frames of a video, with VG-net's paint on the face of each."""

    def __init__(self, path: Path, crop: CropGeometry, rule: FaceRule, frames: int | None) -> None:
        """Track the face in the first ``frames`` of the video, or in all of it.

        Raises PipelineError if the video does not show one frontal face throughout.
        """
        height, width = next(read_frames(path)).shape[:2]
        self.path, self.crop, self.size = path, crop, shown_size(width, height)
        if max(height, width) > max(self.size) + 1:
            log.warning("%s is shown %d pixels wide and %d high.", path, *self.size)
        pictures = islice((_sized(frame, self.size) for frame in read_frames(path)), frames)
        self.tracked = track(path, pictures, rule, crop)

    def frames(self, painted: Iterable[Painted]) -> Iterator[NDArray[np.uint8]]:
        for chunk in painted:
            yield from _photograph(chunk.reference).frames([chunk])

    def points(self, points_T68x2: NDArray[np.float32], first: int, reference: Reference) -> NDArray[np.float32]:
        return _photograph(reference).points(points_T68x2, first, reference)

    def calm(self) -> Reference:
        """Return the frame with the most closed mouth; it is AT-net's reference."""
        number = int(np.argmin(mouth_opening(self.tracked.crop_points_T68x2)))
        return self._shot(next(islice(read_frames(self.path), number, None)), number)

    def shots(self) -> Iterator[Shot]:
        """Yield the frames forwards, then backwards, and so on without end."""
        count = len(self.tracked.points_T68x2)
        while True:
            for number, picture_HWC in enumerate(islice(read_frames(self.path), count)):
                yield self._shot(picture_HWC, number)
            for start in range((count - 1) // FPS * FPS, -1, -FPS):  # a second at a time, to keep few frames in memory
                second = list(read_frames(self.path, start=start / FPS, duration=1.0))[: count - start]
                for number in reversed(range(len(second))):
                    yield self._shot(second[number], start + number)

    def _shot(self, picture_HWC: NDArray[np.uint8], number: int) -> Shot:
        picture_HWC = _sized(picture_HWC, self.size)
        crop_HWC = crop_face(picture_HWC, self.tracked.onto_T2x3[number], self.crop.size)
        points_68x2 = self.tracked.crop_points_T68x2[number]
        source_68x2 = self.tracked.points_T68x2[number]
        return Shot(crop_HWC, points_68x2, source_68x2=source_68x2, picture_HWC=picture_HWC)


def _photograph(shot: Reference) -> Photograph:
    assert isinstance(shot, Shot)
    return Photograph(shot.picture_HWC, shot)


def put_mouth(
    own_L: NDArray[np.float32], calm_L: NDArray[np.float32], spoken_L: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Replace the mouth and chin of a frame's landmarks by spoken ones.

    All landmarks are normalised (136,): the frame's own, those of AT-net's reference, and AT-net's output for it. The
    spoken mouth is placed relative to the frame's nose. Along the jaw it fades into the frame's own outline.
    """
    own, calm, spoken = (landmarks_L.reshape(COUNT, 2) for landmarks_L in (own_L, calm_L, spoken_L))
    share = np.zeros((COUNT, 1), np.float32)
    share[MOUTH] = 1
    share[:_JAW, 0] = np.sin(np.linspace(0, np.pi, _JAW)) ** 2
    placed = spoken + (own[_NOSE] - calm[_NOSE]).mean(axis=0)
    return np.asarray((own + share * (placed - own)).reshape(-1), np.float32)


def _sized(picture_HWC: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    height, width = picture_HWC.shape[:2]
    if max(height, width) > max(size) + 1:
        return np.asarray(cv2.resize(picture_HWC, size, interpolation=cv2.INTER_AREA), np.uint8)
    return np.ascontiguousarray(picture_HWC[: size[1], : size[0]])
