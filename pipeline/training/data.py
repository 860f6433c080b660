"""Training data: clips, the windows drawn from them, and batches that are loaded ahead.

The windows of a batch are a pure function of the seed and the step, so checkpoints need no position in the data.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from enum import IntEnum
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.landmarks.pca import LandmarkModel
from pipeline.landmarks.points import mirror_points
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.machine import cores
from pipeline.shards.clip_store import ClipStore
from pipeline.speech.features import windows


class Stream(IntEnum):
    """Keeps draws apart: each generator is seeded with [seed, stream, position in the training]."""

    ORDER = 0  # order of the clips in a pass
    WINDOW = 1  # place of a window in its clip, and its reference
    AUGMENTATION = 2  # augmentation of a window: of VG-net's pictures, and of AT-net's sound
    CORPUS = 3  # corpus and clip of a window, if corpora have weights
    REFERENCE = 4  # whether a window's reference is the frame with the widest mouth
    SILENCE = 5  # whether a window hears silence, and which


GroupWeights = Mapping[tuple[int, ...], float]  # groups of clips, and how often each is drawn; may be empty


def loaders() -> int:
    """Threads that make batches. One decodes about 4,000 faces per second."""
    return min(8, cores())


class StoreSource:
    """The accepted clips of a split, by number, read from the clip store on demand. Several threads call the methods.

    `split` is `train` or `val`; PipelineError if it is empty. `speech`: speech features are used, and so are part of
    `digest`. `weights` are those of a union's corpora, by the name that their clips' ids begin with.
    """

    def __init__(
        self,
        store: ClipStore,
        model: LandmarkModel,
        split: str,
        *,
        speech: bool,
        weights: Mapping[str, float] = MappingProxyType({}),
    ) -> None:
        self.model, self._store, self._ids = model, store, store.ids(split)
        if not self._ids:
            raise PipelineError(
                f"{store.data} has no good clip in the {split} split. Give the corpus more clips to split."
            )
        self.lengths: Sequence[int] = [store.length(clip) for clip in self._ids]  # frames of each clip
        self.size = store.size  # side of the pictures in pixels
        self.variants = store.variants(self._ids[0]) if speech else 0
        """Number of augmented versions of each clip's sound."""
        self.weights: GroupWeights = {
            tuple(clip for clip, clip_id in enumerate(self._ids) if clip_id.startswith(f"{name}/")): weight
            for name, weight in weights.items()
        }
        content = [store.digest(self._ids, speech=speech), model.digest, *([repr(weights)] if weights else [])]
        self.digest = hashlib.sha256(" ".join(content).encode()).hexdigest()
        """A hash of everything that the methods return."""
        # Normalising landmarks takes longer than reading them, so those of recent clips are kept (40 kB each).
        self._normalised = lru_cache(maxsize=4096)(self._normalise)

    def pictures(self, clip: int, frames: Sequence[int]) -> NDArray[np.uint8]:
        """The faces in these frames, RGB uint8 (len(frames), size, size, 3)."""
        return self._store.frames(self._ids[clip], frames)

    def landmarks(self, clip: int, mirrored: bool = False) -> NDArray[np.float32]:
        """Normalised landmarks of all T frames (T, 136); of the mirrored frames if `mirrored`."""
        return self._normalised(clip, mirrored)

    def _normalise(self, clip: int, mirrored: bool) -> NDArray[np.float32]:
        points_T68x2 = self._store.points(self._ids[clip])
        return self.model.normalize(mirror_points(points_T68x2) if mirrored else points_T68x2)

    def coefficients(self, clip: int) -> NDArray[np.float32]:
        """PCA coefficients of the landmarks (T, K)."""
        return self.model.project(self.landmarks(clip))

    def windows(self, clip: int) -> NDArray[np.float32]:
        """The window of speech features of every frame (T, 28, 12), or with another number of columns."""
        return self._store.windows(self._ids[clip])

    def variant(
        self, clip: int, number: int, start: int, frames: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Augmented version `number` (from 1) of the sound, from the clip's frame `start` on.

        Returns windows of speech features (frames, 28, 12) and coefficients (frames, K), which are interpolated between
        the clip's frames, because faster speech moves the lips faster.
        """
        rows_RC, rate = self._store.variant(self._ids[clip], number)
        first = round(start / rate)
        times_T = (np.arange(first, first + frames) + 0.5) * rate - 0.5  # in frames of the clip
        coefficients_TK = self.coefficients(clip)
        known_T = np.arange(len(coefficients_TK))
        moved_KT = [np.interp(times_T, known_T, values_T) for values_T in coefficients_TK.T]
        return windows(rows_RC, first + frames)[first:], np.stack(moved_KT, axis=1).astype(np.float32)


class Window(NamedTuple):
    """Consecutive frames of a clip, and a reference: a frame of the same clip outside them."""

    clip: int
    start: int
    reference: int


def long_enough(lengths: Sequence[int], frames: int) -> list[int]:
    """The clips that are long enough for a window of `frames` and a reference; PipelineError if there is none."""
    clips = [clip for clip, length in enumerate(lengths) if length > frames]
    if not clips:
        raise PipelineError(
            f"No clip has more than {frames} frames, the longest has {max(lengths, default=0)}. "
            "Lower `frames` of the network's params, or give it longer clips."
        )
    return clips


def training_windows(
    lengths: Sequence[int], frames: int, batch: int, seed: int, step: int, weights: GroupWeights = MappingProxyType({})
) -> list[Window]:
    """The windows of step `step`, from 0: `batch` windows of `frames` frames, in clips of `lengths` frames.

    Each pass uses every clip once, in random order and at random places. With `weights`, each window is drawn
    independently: a group by its weight, then one of its clips.
    """
    clips = long_enough(lengths, frames)
    groups = [[clip for clip in group if lengths[clip] > frames] for group in weights]
    shares = np.array([weight if group else 0.0 for group, weight in zip(groups, weights.values(), strict=True)])
    drawn = []
    for position in range(step * batch, (step + 1) * batch):
        random = np.random.default_rng([seed, Stream.WINDOW, position])
        if groups:
            draw = np.random.default_rng([seed, Stream.CORPUS, position])
            group = groups[int(draw.choice(len(groups), p=shares / shares.sum()))]
            clip = group[int(draw.integers(len(group)))]
        else:
            turn, place = divmod(position, len(clips))
            clip = clips[_order(len(clips), seed, turn)[place]]
        drawn.append(_window(clip, int(random.integers(lengths[clip] - frames + 1)), frames, lengths, random))
    return drawn


@lru_cache(maxsize=4)  # takes longer than a step for a large corpus
def _order(clips: int, seed: int, turn: int) -> NDArray[np.int64]:
    return np.random.default_rng([seed, Stream.ORDER, turn]).permutation(clips)


def drawn_variant(variants: int, seed: int, position: int) -> int:
    """The version of the sound, of `variants` augmented ones, for the window at `position`; 0 is the original."""
    return int(np.random.default_rng([seed, Stream.AUGMENTATION, position]).integers(variants + 1)) if variants else 0


def with_wide_reference(window: Window, frames: int, opening_T: NDArray[np.floating]) -> Window:
    """The window of `frames` frames with the clip's widest mouth outside it as the reference.

    `opening_T` is the opening of the mouth in all frames of the clip, in any unit.
    """
    outside_T = np.ones(len(opening_T), bool)
    outside_T[window.start : window.start + frames] = False
    return window._replace(reference=int(np.where(outside_T, opening_T, -np.inf).argmax()))


def validation_windows(lengths: Sequence[int], frames: int, most: int) -> list[Window]:
    """At most `most` windows, one each of clips spread evenly over the split; the same for every seed."""
    clips = long_enough(lengths, frames)
    picked = [clips[int(place)] for place in np.linspace(0, len(clips) - 1, min(most, len(clips)))]
    random = np.random.default_rng(0)
    return [_window(clip, (lengths[clip] - frames) // 2, frames, lengths, random) for clip in picked]


def _window(clip: int, start: int, frames: int, lengths: Sequence[int], random: np.random.Generator) -> Window:
    outside = int(random.integers(lengths[clip] - frames))
    return Window(clip, start, outside if outside < start else outside + frames)


Batch = TypeVar("Batch")


def load_ahead(make: Callable[[int], Batch], steps: range, threads: int) -> Iterator[Batch]:
    """`make(step)` for each step in order, computed in threads a few steps ahead."""
    waiting: deque[Future[Batch]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="loader") as pool:
        for step in steps:
            waiting.append(pool.submit(make, step))
            if len(waiting) > 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
