"""The clip store: the only reader of the prepared clips in `data/`.

| folder | content |
|---|---|
| `data/faces` | crops, points, transforms |
| `data/mfcc` | speech features |
| `data/clips` | speech, texts, the clip's origin |

Folders are opened on demand, so training needs only the first two.
"""

import hashlib
import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.faces.crop import decode_jpeg
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath
from pipeline.shards.read import MANIFEST, ShardReader
from pipeline.shards.table import Row
from pipeline.speech.features import windows


class ClipStore:
    """The good clips by id. A clip has T frames, 25 per second. Methods may be called from several threads."""

    def __init__(self, data: StrPath) -> None:
        """``data`` holds `faces`, `mfcc` and `clips`. Reading a missing one raises PipelineError."""
        self.data = Path(data)
        self._reading = threading.Lock()  # threads share parquet readers; decoding happens without the lock

    @cached_property
    def faces(self) -> ShardReader:
        """The index of `data/faces`."""
        return ShardReader(self.data / "faces")

    @cached_property
    def speech(self) -> ShardReader:
        """The index of `data/mfcc`."""
        return ShardReader(self.data / "mfcc")

    @cached_property
    def clips(self) -> ShardReader:
        """The manifest of `data/clips`."""
        return ShardReader(self.data / "clips", MANIFEST)

    @cached_property
    def size(self) -> int:
        """Side of all crops in pixels."""
        return int(self.frames(self.faces.ids(status="ok")[0], [0]).shape[1])

    def ids(self, split: str) -> list[str]:
        """The good clips of `train`, `val` or `test`, in order."""
        return self.faces.ids(split=split, status="ok")

    def length(self, clip: str) -> int:
        """T."""
        return int(self.faces[clip]["frames"])

    def speaker(self, clip: str) -> str:
        """The speaker; empty if unknown."""
        return str(self.faces[clip]["speaker"])

    def source(self, clip: str) -> Row:
        """The clip's row of the manifest: `text`, `path` below the corpus's root, `start` in seconds, ..."""
        return self.clips[clip]

    def jpegs(self, clip: str) -> list[bytes]:
        """The crops as stored: T JPEG files."""
        with self._reading:
            files: list[bytes] = self.faces.read(clip, "jpeg")
        return files

    def frames(self, clip: str, chosen: Sequence[int] | None = None) -> NDArray[np.uint8]:
        """The crops, RGB (T, size, size, 3), or the ``chosen`` ones by number."""
        files = self.jpegs(clip)
        return np.stack([decode_jpeg(files[number]) for number in (range(len(files)) if chosen is None else chosen)])

    def points(self, clip: str) -> NDArray[np.float32]:
        """The 68 points (T, 68, 2), x and y in pixels of the crop."""
        return self._array(self.faces, clip, "points")

    def transform(self, clip: str) -> NDArray[np.float32]:
        """The matrices (T, 2, 3) from pixels of the source frame to pixels of the crop."""
        return self._array(self.faces, clip, "transform")

    def found(self, clip: str) -> NDArray[np.bool_]:
        """Whether the face was found (T,). The points of other frames are interpolated."""
        return self._array(self.faces, clip, "found")

    def mfcc(self, clip: str) -> NDArray[np.float32]:
        """Speech features (R, C), 4 rows per frame; MFCC have 13 columns, and column 0 is the level."""
        return self._array(self.speech, clip, "mfcc")

    def variants(self, clip: str) -> int:
        """The number of variants of its sound."""
        cells = self.speech[clip]
        return sum(cells[name] is not None for name in cells if name.startswith("rate_"))

    def variant(self, clip: str, number: int) -> tuple[NDArray[np.float32], float]:
        """Speech features (R', C) of variant ``number``, from 1, and its speed relative to the clip."""
        return self._array(self.speech, clip, f"mfcc_{number}"), self.speech[clip][f"rate_{number}"]

    def windows(self, clip: str) -> NDArray[np.float32]:
        """The window of speech features of every frame (T, 28, C - 1)."""
        return windows(self.mfcc(clip), self.length(clip))

    def samples(self, clip: str) -> NDArray[np.int16]:
        """Speech, mono at 16 kHz (N,), 640 samples per frame."""
        return self._array(self.clips, clip, "samples")

    def digest(self, clips: Sequence[str], *, speech: bool) -> str:
        """A hash of everything stored of the faces of ``clips`` and, if ``speech``, of their speech features."""
        readers = [self.faces, *([self.speech] if speech else [])]
        digest = hashlib.sha256()
        for clip in clips:  # a shard's name is the hash of its content
            digest.update(repr([clip, *(reader[clip]["shard"] for reader in readers)]).encode())
        return digest.hexdigest()

    def check(self) -> None:
        """Raise PipelineError if the three folders are from different runs of the pipeline."""
        good = set(self.faces.ids(status="ok"))
        for reader in (self.clips, self.speech):
            if missing := good.difference(reader):
                fault = f"{self.faces.folder} has the clip {min(missing)}, {reader.folder} has not"
                raise PipelineError(fault, advice="Run `dvc repro` first.")

    def _array(self, reader: ShardReader, clip: str, column: str) -> NDArray[Any]:
        with self._reading:
            array: NDArray[Any] = reader.read(clip, column)
        return array
