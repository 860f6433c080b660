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

    def __init__(self, store: ClipStore, trained: bool = False) -> None:
        """``trained``: whether the models under evaluation were trained on this store, so that it knows whom they have
        seen.
        """
        self._store = store
        self._seen = {store.speaker(clip) for clip in store.ids("train")} if trained else None

    def ids(self, split: str) -> list[str]:
        """As `Clips`."""
        return self._store.ids(split)

    def load(self, clip: str) -> TestClip:
        """As `Clips`."""
        store, speaker = self._store, self._store.speaker(clip)
        other = other_clip(store, clip)
        return TestClip(
            clip,
            speaker,
            store.frames(clip),
            store.points(clip),
            store.windows(clip),
            other_TRC=lengthened(store.windows(other), store.length(clip)) if other else None,
            seen=speaker in self._seen if self._seen is not None and speaker else None,
        )

    def samples(self, clip: str) -> NDArray[np.int16]:
        """As `Clips`."""
        return self._store.samples(clip)


def other_clip(store: ClipStore, clip: str) -> str | None:
    """The next clip of the split in which something else is said, counted in a circle; None where there is none.

    One that is long enough comes first, and where no text is known any other clip.
    """
    ids = store.ids(str(store.faces.index[clip]["split"]))
    at = ids.index(clip)
    others = [*ids[at + 1 :], *ids[:at]]
    text = store.source(clip)["text"]
    others = [one for one in others if not text or store.source(one)["text"] != text]
    return next((one for one in others if store.length(one) >= store.length(clip)), next(iter(others), None))


def lengthened(windows_TRC: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """The first windows of so many ``frames``, over again where they are fewer."""
    return windows_TRC[np.arange(frames) % len(windows_TRC)]
