"""The clips that are evaluated."""

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.baselines import TestClip
from pipeline.prepare import manifest
from pipeline.shards import ShardReader
from pipeline.shards.face_clips import FaceClips
from pipeline.speech.windows import windows


class Clips(Protocol):
    """Prepared as the models under evaluation were trained."""

    def ids(self, split: str) -> list[str]:
        """Good clips of ``train``, ``val`` or ``test``."""

    def load(self, clip: str) -> TestClip:
        """One of them."""

    def samples(self, clip: str) -> NDArray[np.int16]:
        """Its 16 kHz mono sound."""


class ShardClips:
    """As the stages prepare them: data/clips, data/faces and data/mfcc."""

    def __init__(self, clips: Path, faces: Path, mfcc: Path) -> None:
        """Open the folders; PipelineError when one is not there."""
        self._speech = ShardReader(clips, manifest.FILE)
        self._faces = FaceClips(faces)
        self._mfcc = ShardReader(mfcc)

    def ids(self, split: str) -> list[str]:
        """As `Clips`."""
        return self._faces.ids(split)

    def load(self, clip: str) -> TestClip:
        """As `Clips`."""
        frames = self._faces.pictures(clip)
        heard = windows(self._mfcc.array(clip, "mfcc"), len(frames))
        return TestClip(clip, self._faces.row(clip)["speaker"], frames, self._faces.points(clip), heard)

    def samples(self, clip: str) -> NDArray[np.int16]:
        """As `Clips`."""
        return self._speech.array(clip, "samples")
