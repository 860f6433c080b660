"""The clips of an evaluation."""

import numpy as np
from numpy.typing import NDArray

from pipeline.corpora.alignment import unpack
from pipeline.evaluation.baselines.base import TestClip
from pipeline.metrics.transcript import transcribe
from pipeline.preprocessing.base import Reference
from pipeline.shards.clip_store import ClipStore


class StoredClips:
    """Clips as the stages prepare them."""

    def __init__(self, store: ClipStore, trained: bool = False) -> None:
        """``trained`` tells that the models under evaluation were trained on this store, so seen speakers are known."""
        self._store = store
        self._seen = {store.speaker(clip) for clip in store.ids("train")} if trained else None

    def ids(self, split: str) -> list[str]:
        """Good clips of ``train``, ``val`` or ``test``."""
        return self._store.ids(split)

    def load(self, clip: str) -> TestClip:
        """Load a clip, prepared as the models under evaluation were trained."""
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
            transcript=transcribe(unpack(store.source(clip)["words"]), store.length(clip)),
        )

    def other_face(self, clip: str) -> Reference | None:
        """The first frame of the next clip of another speaker; None if there is none."""
        other = other_speaker(self._store, clip)
        return None if other is None else self.load(other).reference

    def samples(self, clip: str) -> NDArray[np.int16]:
        """Its 16 kHz mono sound."""
        return self._store.samples(clip)


def other_clip(store: ClipStore, clip: str) -> str | None:
    """The next clip of the split, in a circle, with another text; None if there is none.

    Clips that are long enough come first. Without a known text, any other clip will do.
    """
    text = store.source(clip)["text"]
    others = [one for one in _following(store, clip) if not text or store.source(one)["text"] != text]
    return next((one for one in others if store.length(one) >= store.length(clip)), next(iter(others), None))


def other_speaker(store: ClipStore, clip: str) -> str | None:
    """The next clip of the split, in a circle, of another speaker; None if no other is known."""
    speaker = store.speaker(clip)
    others = ((one, store.speaker(one)) for one in _following(store, clip))
    return next((one for one, other in others if speaker and other and other != speaker), None)


def _following(store: ClipStore, clip: str) -> list[str]:
    """The other clips of its split, from the next one on."""
    ids = store.ids(str(store.faces[clip]["split"]))
    at = ids.index(clip)
    return [*ids[at + 1 :], *ids[:at]]


def lengthened(windows_TRC: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """The windows of ``frames`` frames: cut, or repeated from the start."""
    return windows_TRC[np.arange(frames) % len(windows_TRC)]
