"""What is trained on: clips, the windows drawn from them, and batches loaded ahead of the training.

Which windows make the batch of a step is a pure function of the seed and the step, so neither the number of loader
threads nor a restart changes it, and there is no position in the data to remember.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import IntEnum
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.landmarks.pca import LandmarkModel
from pipeline.landmarks.points import mirror_points
from pipeline.runtime.cores import cores
from pipeline.runtime.errors import PipelineError
from pipeline.shards.clip_store import ClipStore
from pipeline.speech.windows import windows


class Stream(IntEnum):
    """Keeps the draws of a training apart: each generator is seeded with [seed, stream, position in the training]."""

    ORDER = 0
    """Order of the clips in a pass."""
    WINDOW = 1
    """Place of a window in its clip, and its reference."""
    AUGMENTATION = 2
    """Augmentation of a window: of VG-net's pictures, and of AT-net's sound."""
    CORPUS = 3
    """Corpus and clip of a window, if corpora have weights."""


def loaders() -> int:
    """Threads that make batches: as many as cores. One decodes some 4,000 faces per second."""
    return min(8, cores())


class ClipSource(Protocol):
    """The clips of one split, by number. Methods are called from several threads."""

    @property
    def lengths(self) -> Sequence[int]:
        """Frames of each clip."""

    @property
    def weights(self) -> "Weights":
        """In a union the clips of each of its corpora, and its weight; else empty."""

    @property
    def digest(self) -> str:
        """A hash of all that the other methods answer."""

    @property
    def size(self) -> int:
        """Side of the pictures in pixels."""

    def pictures(self, clip: int, frames: Sequence[int]) -> NDArray[np.uint8]:
        """These frames' faces, RGB (len(frames), size, size, 3)."""

    def landmarks(self, clip: int, mirrored: bool = False) -> NDArray[np.float32]:
        """Normalised landmarks of all T frames (T, 136), or of the mirrored frames."""

    def coefficients(self, clip: int) -> NDArray[np.float32]:
        """Their PCA coefficients (T, K)."""

    def windows(self, clip: int) -> NDArray[np.float32]:
        """The window of speech of every frame (T, 28, 12), or of other columns."""

    @property
    def variants(self) -> int:
        """Changed versions of each clip's sound."""

    def variant(
        self, clip: int, number: int, start: int, frames: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Of changed version `number`, from 1, the speech from the clip's frame `start` on: windows (frames, 28, 12),
        and what the lips do then, coefficients (frames, K).
        """


class StoreSource:
    """The good clips of a split, read from the clip store as they are needed.

    `speech` says whether AT-net trains on it, and so whether its features count in `digest`. `weights` are those of a
    union's corpora, by the name that its clips' ids begin with; empty: every clip counts alike. PipelineError for a
    missing folder or an empty split.
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
        self.model = model
        self._store = store
        self._ids = store.ids(split)
        if not self._ids:
            raise PipelineError(
                f"{store.data} has no good clip in the {split} split. Give the corpus more clips to split."
            )
        self.lengths = [store.length(clip) for clip in self._ids]
        self.weights = {
            tuple(clip for clip, its in enumerate(self._ids) if its.startswith(f"{name}/")): weight
            for name, weight in weights.items()
        }
        content = [store.digest(self._ids, speech=speech), model.digest, *([repr(weights)] if weights else [])]
        self.digest = hashlib.sha256(" ".join(content).encode()).hexdigest()
        # Landmarks of recent clips are kept (40 kB each): normalising them costs more than reading them.
        self.landmarks = lru_cache(maxsize=4096)(self._landmarks)

    @property
    def size(self) -> int:
        """As `ClipSource`."""
        return self._store.size

    def pictures(self, clip: int, frames: Sequence[int]) -> NDArray[np.uint8]:
        """As `ClipSource`."""
        return self._store.frames(self._ids[clip], frames)

    def _landmarks(self, clip: int, mirrored: bool = False) -> NDArray[np.float32]:
        points_T68x2 = self._store.points(self._ids[clip])
        return self.model.normalize(mirror_points(points_T68x2) if mirrored else points_T68x2)

    def coefficients(self, clip: int) -> NDArray[np.float32]:
        """As `ClipSource`."""
        return self.model.project(self.landmarks(clip))

    def windows(self, clip: int) -> NDArray[np.float32]:
        """As `ClipSource`."""
        return self._store.windows(self._ids[clip])

    @property
    def variants(self) -> int:
        """As `ClipSource`."""
        return self._store.variants(self._ids[0])

    def variant(
        self, clip: int, number: int, start: int, frames: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """As `ClipSource`: faster speech moves the lips faster, so coefficients are interpolated between the frames."""
        rows_RC, rate = self._store.variant(self._ids[clip], number)
        first = round(start / rate)
        times_T = (np.arange(first, first + frames) + 0.5) * rate - 0.5  # in frames of the clip
        coefficients_TK = self.coefficients(clip)
        known_T = np.arange(len(coefficients_TK))
        moved_KT = [np.interp(times_T, known_T, values_T) for values_T in coefficients_TK.T]
        return windows(rows_RC, first + frames)[first:], np.stack(moved_KT, axis=1).astype(np.float32)


class Window(NamedTuple):
    """Consecutive frames of a clip, and a frame of the same clip outside them that shows the face."""

    clip: int
    start: int
    reference: int


def long_enough(lengths: Sequence[int], frames: int) -> list[int]:
    """Numbers of the clips that hold a window of `frames` and a reference; PipelineError when there is none."""
    clips = [clip for clip, length in enumerate(lengths) if length > frames]
    if not clips:
        raise PipelineError(
            f"No clip has more than {frames} frames, the longest has {max(lengths, default=0)}. "
            "Lower `frames` of the network's params, or give it longer clips."
        )
    return clips


Weights = Mapping[tuple[int, ...], float]
"""Groups of clips, and how often windows are drawn from each."""


def training_windows(
    lengths: Sequence[int], frames: int, batch: int, seed: int, step: int, weights: Weights = MappingProxyType({})
) -> list[Window]:
    """The windows of step `step` (from 0): every clip once per pass, in an order and at places drawn from the seed.

    With `weights` each is drawn by itself: a group by its weight, and one of its clips.
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


@lru_cache(maxsize=4)  # of a large corpus it takes longer than a step
def _order(clips: int, seed: int, turn: int) -> NDArray[np.int64]:
    return np.random.default_rng([seed, Stream.ORDER, turn]).permutation(clips)


def drawn_variants(variants: int, seed: int, positions: range) -> list[int]:
    """Which of `variants` changed versions of the sound the windows at `positions` hear; 0 is the sound itself."""
    return [
        int(np.random.default_rng([seed, Stream.AUGMENTATION, position]).integers(variants + 1)) if variants else 0
        for position in positions
    ]


def validation_windows(lengths: Sequence[int], frames: int, most: int) -> list[Window]:
    """At most `most` windows, the same whatever the seed: of clips spread evenly over the split, one each."""
    clips = long_enough(lengths, frames)
    picked = [clips[int(place)] for place in np.linspace(0, len(clips) - 1, min(most, len(clips)))]
    random = np.random.default_rng(0)
    return [_window(clip, (lengths[clip] - frames) // 2, frames, lengths, random) for clip in picked]


def _window(clip: int, start: int, frames: int, lengths: Sequence[int], random: np.random.Generator) -> Window:
    outside = int(random.integers(lengths[clip] - frames))
    return Window(clip, start, outside if outside < start else outside + frames)


Batch = TypeVar("Batch")


def load_ahead(make: Callable[[int], Batch], steps: range, threads: int) -> Iterator[Batch]:
    """`make(step)` for each step in turn, made in threads a few steps ahead of being asked for."""
    with ThreadPoolExecutor(threads, thread_name_prefix="loader") as pool:
        waiting = deque(pool.submit(make, step) for step in steps[: 2 * threads])
        for step in range(steps.start + 2 * threads, steps.stop + 2 * threads):
            if not waiting:
                break
            batch = waiting.popleft().result()
            if step < steps.stop:
                waiting.append(pool.submit(make, step))
            yield batch
