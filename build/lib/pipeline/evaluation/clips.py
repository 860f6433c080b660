"""The clips that are evaluated."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.baselines.base import TestClip
from pipeline.shards.clip_store import ClipStore


class Clips(Protocol):
    """Prepared as the models under evaluation were trained."""

    def ids(self, split: str) -> list[str]:
        """Good clips of ``train``, ``val`` or ``test``."""

    def load(self, clip: str) -> TestClip:
        """One of them."""

    def samples(self, clip: str) -> NDArray[np.int16]:
        """Its 16 kHz mono sound."""


class StoredClips:
    """As the stages prepare them."""

    def __init__(self, store: ClipStore) -> None:
        self._store = store

    def ids(self, split: str) -> list[str]:
        """As `Clips`."""
        return self._store.ids(split)

    def load(self, clip: str) -> TestClip:
        """As `Clips`."""
        store = self._store
        return TestClip(clip, store.speaker(clip), store.frames(clip), store.points(clip), store.windows(clip))

    def samples(self, clip: str) -> NDArray[np.int16]:
        """As `Clips`."""
        return self._store.samples(clip)
