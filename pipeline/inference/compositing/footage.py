"""A video as the picture: its own frames go on, and the mouth says something else (dubbing)."""

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
from pipeline.inference.compositing.base import Painted
from pipeline.inference.compositing.photograph import Photograph, shown_size
from pipeline.inference.preprocessing.base import Reference
from pipeline.inference.tracked import Tracked, track
from pipeline.landmarks.mouth import mouth_opening
from pipeline.landmarks.points import COUNT, MOUTH
from pipeline.media import read_frames
from pipeline.runtime.clock import FPS

log = logging.getLogger(__name__)
_NOSE = slice(31, 36)  # below it, which moves with the upper lip's root and not with speech
_JAW = 17


@dataclass(frozen=True)
class Shot(Reference):
    """A frame of the video as the reference of the frame that is generated over it."""

    picture_HWC: NDArray[np.uint8] | None = None


@dataclass(frozen=True)
class Footage:
    """As `View`: the whole frames of a video, each with what VG-net paints laid over its own face."""

    path: Path
    tracked: Tracked
    crop: CropGeometry
    size: tuple[int, int]

    @classmethod
    def of(cls, path: Path, crop: CropGeometry, rule: FaceRule, frames: int | None) -> "Footage":
        """Of as much of the video as ``frames`` last, or all of it; reads it once.

        Raises PipelineError where it does not show one frontal face throughout.
        """
        first_HWC = next(read_frames(path))
        size = shown_size(first_HWC.shape[1], first_HWC.shape[0])
        if max(first_HWC.shape[:2]) > max(size) + 1:
            log.warning("%s is shown %d pixels wide and %d high.", path, *size)
        pictures = islice((_sized(frame, size) for frame in read_frames(path)), frames)
        return cls(path, track(path, pictures, rule, crop), crop, size)

    def frames(self, painted: Iterable[Painted]) -> Iterator[NDArray[np.uint8]]:
        """As `View`."""
        for chunk in painted:
            assert isinstance(chunk.reference, Shot)
            assert chunk.reference.picture_HWC is not None
            yield from Photograph.of(chunk.reference.picture_HWC, chunk.reference).frames([chunk])

    def points(self, points_T68x2: NDArray[np.float32], first: int, reference: Reference) -> NDArray[np.float32]:
        """As `View`."""
        assert isinstance(reference, Shot)
        assert reference.picture_HWC is not None
        return Photograph.of(reference.picture_HWC, reference).points(points_T68x2, first, reference)

    def calm(self) -> Reference:
        """The frame in which the mouth is closed most, from which AT-net begins."""
        number = int(np.argmin(mouth_opening(self.tracked.crop_points_T68x2)))
        picture_HWC = next(islice(read_frames(self.path), number, None))
        return self._shot(_sized(picture_HWC, self.size), number)

    def shots(self) -> Iterator[Shot]:
        """The frames from the first to the last, back again, and so on without an end."""
        count = len(self.tracked.points_T68x2)
        while True:
            for number, picture_HWC in enumerate(islice(read_frames(self.path), count)):
                yield self._shot(_sized(picture_HWC, self.size), number)
            for start in range((count - 1) // FPS * FPS, -1, -FPS):  # a second at a time, so that few are kept
                few = list(read_frames(self.path, start=start / FPS, duration=1.0))[: count - start]
                for number in reversed(range(len(few))):
                    yield self._shot(_sized(few[number], self.size), start + number)

    def _shot(self, picture_HWC: NDArray[np.uint8], number: int) -> Shot:
        crop_HWC = crop_face(picture_HWC, self.tracked.onto_T2x3[number], self.crop.size)
        points = self.tracked.crop_points_T68x2[number], self.tracked.points_T68x2[number]
        return Shot(crop_HWC, points[0], None, points[1], picture_HWC)


def put_mouth(
    own_L: NDArray[np.float32], calm_L: NDArray[np.float32], spoken_L: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Normalised landmarks (136,) of a frame's own face, with the mouth and chin that AT-net means for the calm one.

    They hang below the frame's own nose; along the jaw they fade into the face's own outline.
    """
    own, calm, spoken = (one.reshape(COUNT, 2) for one in (own_L, calm_L, spoken_L))
    share = np.zeros((COUNT, 1), np.float32)
    share[MOUTH] = 1
    share[:_JAW, 0] = np.sin(np.linspace(0, np.pi, _JAW)) ** 2
    hung = spoken + (own[_NOSE] - calm[_NOSE]).mean(axis=0)
    return np.asarray((own + share * (hung - own)).reshape(-1), np.float32)


def _sized(picture_HWC: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    height, width = picture_HWC.shape[:2]
    if max(height, width) > max(size) + 1:
        return np.asarray(cv2.resize(picture_HWC, size, interpolation=cv2.INTER_AREA), np.uint8)
    return np.ascontiguousarray(picture_HWC[: size[1], : size[0]])
