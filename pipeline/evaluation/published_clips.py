"""Clips as the original's networks were trained to see and hear them."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.corpora.alignment import unpack
from pipeline.evaluation.baselines.base import TestClip
from pipeline.evaluation.clips import lengthened, other_clip, other_speaker
from pipeline.evaluation.spoken import said
from pipeline.faces.crop import from_crop
from pipeline.inference.preprocessing.base import Reference
from pipeline.inference.published.hearing import hear_clip
from pipeline.inference.published.preprocessing import PublishedPreprocessing
from pipeline.inference.published.region import box_around, cut_region
from pipeline.media import read_frames
from pipeline.runtime.clock import FPS
from pipeline.runtime.errors import PipelineError
from pipeline.shards.clip_store import ClipStore
from pipeline.speech.sound import Sound


class SourceClips:
    """The original's regions of the frames of the corpus's own files, and its windows of their sound.

    The face is the one that the stage landmarks followed, so no frame is lost; its points are that stage's, to
    fractions of a pixel, and the square is cut about them.
    """

    def __init__(self, store: ClipStore, root: Path, preprocessing: PublishedPreprocessing) -> None:
        """``root`` is the corpus's folder."""
        self._store = store
        self._root = root
        self._preprocessing = preprocessing

    def ids(self, split: str) -> list[str]:
        """As `Clips`."""
        return self._store.ids(split)

    def load(self, clip: str) -> TestClip:
        """As `Clips`; PipelineError when the file cannot be read, or has changed since the stages read it."""
        known = self._store.source(clip)
        points = from_crop(self._store.points(clip), self._store.transform(clip))
        path = self._root / known["path"]
        frames = read_frames(path, start=known["start"], duration=len(points) / FPS)
        ours = self._preprocessing
        cut = [
            cut_region(frame, box_around(one), one, ours.template, ours.recipe.crop)
            for frame, one in zip(frames, points, strict=False)
        ]
        if len(cut) != len(points):
            raise PipelineError(f"{path} has {len(cut)} frames where data/faces has {len(points)}. Run `dvc repro`.")
        regions, moved = (np.stack(parts) for parts in zip(*cut, strict=True))
        other = other_clip(self._store, clip)
        windows = [lengthened(self._windows(one), len(cut)) if one else None for one in (clip, other)]
        assert windows[0] is not None
        return TestClip(
            clip,
            known["speaker"],
            regions,
            moved,
            windows[0],
            other_TRC=windows[1],
            said=said(unpack(known["words"]), len(cut)),
        )

    def _windows(self, clip: str) -> NDArray[np.float32]:
        known, frames = self._store.source(clip), self._store.length(clip)
        heard = hear_clip(self._root / known["path"], known["start"], frames / FPS)
        return np.concatenate(list(self._preprocessing.windows(Sound([heard]), frames)))

    def other_face(self, clip: str) -> Reference | None:
        """As `Clips`: the first frame of the next clip of another speaker."""
        other = other_speaker(self._store, clip)
        return None if other is None else self.load(other).reference

    def samples(self, clip: str) -> NDArray[np.int16]:
        """As `Clips`."""
        return self._store.samples(clip)
