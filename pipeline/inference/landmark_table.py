"""The landmarks of a video as a table for other programs."""

import csv
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from pipeline.inference.compositing.base import Painted, View
from pipeline.inference.preprocessing.base import Preprocessing
from pipeline.landmarks.points import COUNT
from pipeline.runtime.clock import FPS
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import replacing

HEADER = ("frame", "timestamp", *(f"{axis}_{number}" for axis in "xy" for number in range(COUNT)))
"""As OpenFace names the columns of its 2D landmarks: frames from 1, seconds, then all x and all y."""


class LandmarkTable:
    """Writes a row per frame, in pixels of the video, as the frames are generated."""

    def __init__(self, file: TextIO, view: View, preprocessing: Preprocessing) -> None:
        self._rows, self._view, self._preprocessing = csv.writer(file), view, preprocessing
        self._frames = 0
        self._rows.writerow(HEADER)

    def noted(self, painted: Iterable[Painted]) -> Iterator[Painted]:
        """What is painted, with its landmarks written."""
        for chunk in painted:
            points_T68x2 = self._preprocessing.place(chunk.landmarks_TL, chunk.reference.points_68x2)
            for points in self._view.points(points_T68x2, self._frames, chunk.reference):
                numbers = (f"{value:.2f}" for value in points.T.reshape(-1))
                self._rows.writerow((self._frames + 1, f"{self._frames / FPS:.2f}", *numbers))
                self._frames += 1
            yield chunk


@contextmanager
def opened_table(path: Path, view: View, preprocessing: Preprocessing) -> Iterator[LandmarkTable]:
    """A CSV that appears when the block ends well."""
    try:
        with replacing(path) as unfinished, unfinished.open("w", newline="", encoding="utf-8") as file:
            yield LandmarkTable(file, view, preprocessing)
    except OSError as error:
        raise PipelineError(f"{path} cannot be written: {error.strerror}. Give --landmarks another place.") from error
