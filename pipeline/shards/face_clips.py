"""Reading data/faces: what the stages after landmarks know of a clip's face."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.faces.crop import decode_jpeg, to_crop
from pipeline.shards import Row, ShardReader


class FaceClips:
    """The good clips of data/faces, by id."""

    def __init__(self, folder: Path) -> None:
        """Open the folder; PipelineError when it is not there."""
        self._reader = ShardReader(folder)

    def ids(self, split: str) -> list[str]:
        """Good clips of ``train``, ``val`` or ``test``."""
        return self._reader.ids(split=split, status="ok")

    def row(self, clip: str) -> Row:
        """The clip's row of the index."""
        return self._reader.index[clip]

    def points(self, clip: str) -> NDArray[np.float32]:
        """The 68 points (T, 68, 2) in pixels of the 128x128 crop."""
        cells = self._reader.read(clip, ["points", "transform"])
        return to_crop(cells["points"], cells["transform"])

    def pictures(self, clip: str, start: int = 0, stop: int | None = None) -> NDArray[np.uint8]:
        """The crops of frames ``start`` to ``stop``: uint8 RGB (T, 128, 128, 3)."""
        return np.stack([decode_jpeg(data) for data in self._reader.read(clip, ["jpeg"])["jpeg"][start:stop]])
