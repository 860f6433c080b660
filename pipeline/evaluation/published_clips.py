"""Clips as the original's networks were trained to see and hear them."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.baselines import TestClip
from pipeline.inference.published.preprocessing import PublishedPreprocessing
from pipeline.inference.published.region import box_around, cut_region
from pipeline.media import read_frames
from pipeline.prepare import manifest
from pipeline.runtime.errors import PipelineError
from pipeline.shards import ShardReader


class SourceClips:
    """The original's regions of the frames of the corpus's own files; speech from data/clips.

    The face is the one that the stage landmarks followed, so no frame is lost; its points are that stage's, to
    fractions of a pixel, and the square is cut about them.
    """

    def __init__(self, clips: Path, faces: Path, root: Path, preprocessing: PublishedPreprocessing) -> None:
        """``root`` is the corpus's folder; PipelineError when data/clips or data/faces is not there."""
        self._clips = ShardReader(clips, manifest.FILE)
        self._faces = ShardReader(faces)
        self._root = root
        self._preprocessing = preprocessing

    def ids(self, split: str) -> list[str]:
        """As `Clips`."""
        return self._faces.ids(split=split, status="ok")

    def load(self, clip: str) -> TestClip:
        """As `Clips`; PipelineError when the file cannot be read, or has changed since the stages read it."""
        known = self._clips.index[clip]
        points = self._faces.array(clip, "points")
        path = self._root / known["path"]
        frames = read_frames(path, start=known["start"], duration=len(points) / 25.0)
        ours = self._preprocessing
        cut = [
            cut_region(frame, box_around(one), one, ours.template, ours.recipe.crop)
            for frame, one in zip(frames, points, strict=False)
        ]
        if len(cut) != len(points):
            raise PipelineError(f"{path} has {len(cut)} frames where data/faces has {len(points)}. Run `dvc repro`.")
        regions, moved = (np.stack(parts) for parts in zip(*cut, strict=True))
        heard = np.concatenate(list(ours.windows(self.samples(clip), len(cut))))
        return TestClip(clip, known["speaker"], regions, moved, heard)

    def samples(self, clip: str) -> NDArray[np.int16]:
        """As `Clips`."""
        return self._clips.array(clip, "samples")
