"""What every corpus gives: its clips, each with its split."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, NoReturn, Protocol

from pipeline.config.ranges import require
from pipeline.runtime.errors import PipelineError

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")


@dataclass(frozen=True)
class Clip:
    """One clip: a file, or a piece of one."""

    id: str
    """Unique in the corpus, with forward slashes, the same on every machine."""
    speaker: str
    """Empty where the corpus does not know."""
    split: Split
    text: str
    """What is said; empty where the corpus does not know."""
    path: Path
    """Absolute."""
    start: float = 0.0
    """Seconds after the video's first frame."""
    duration: float | None = None
    """Seconds; None is to the end of the file."""
    sound_delay: float = 0.0
    """Seconds by which its sound is to be heard later than the file has it; negative: sooner."""


class Corpus(Protocol):
    """A folder of clips in some layout."""

    @property
    def root(self) -> Path:
        """The corpus's folder, absolute: what the manifest's paths are relative to."""

    def clips(self) -> list[Clip]:
        """All clips, sorted by id.

        Raises PipelineError naming the key of params.yaml to change when the root is missing or empty, when a filter
        leaves nothing, or when a split would have no clip.
        """


@dataclass(frozen=True)
class Opening:
    """What a corpus is opened with beside its own params."""

    root: Path
    """Absolute."""
    key: str
    """The corpus's section of params.yaml, which messages name."""
    seed: int
    min_frames: int
    """At 25 fps; shorter clips are rejected later."""
    time_limit: float
    """Seconds after which a file that hangs is not waited for; 0: never."""


@dataclass(frozen=True)
class CorpusEntry:
    """What there is to know of a corpus; one each in the registry."""

    name: str
    """In params.yaml: ``corpus``, and its section of ``corpora``."""
    title: str
    """What it is, in a line."""
    layout: str
    """How its files lie below its root."""
    params: type[Any]
    """The dataclass of its section. One with a field ``root`` lies where that says."""
    open: Callable[[Any, Opening], Corpus]
    """From its params and what they are opened with; nothing is read before ``clips()``."""
    licence: str
    """Under which its clips may be used, and so models trained on them."""
    attribution: str
    """Whom to name."""
    made: bool = False
    """Whether a stage makes its clips, so that there are none before `dvc repro`."""
    seen: str = ""
    """What models that were trained on it alone have seen, where faces of others will disappoint; a sentence."""

    @property
    def has_root(self) -> bool:
        """Whether the user says where it lies."""
        return any(field.name == "root" for field in fields(self.params))


CORPORA: dict[str, CorpusEntry] = {}
"""All corpora by name; `pipeline.corpora.registry` fills it."""


def register(entry: CorpusEntry) -> None:
    """Add a corpus."""
    CORPORA[entry.name] = entry


def require_shares(val: float, test: float) -> None:
    """ValueError unless both are shares that leave something to train on."""
    require(
        0 < val < 1 and 0 < test < 1 and val + test < 1,
        "val and test are shares above 0 that leave a rest for training",
    )


def files_below(folder: Path, suffixes: tuple[str, ...]) -> Iterator[Path]:
    """Files below ``folder``, links followed, hidden ones not, whose suffix is one of ``suffixes`` in any case.

    Raises PipelineError for a folder that cannot be read: what is in it must not be passed over.
    """
    seen: set[str] = set()
    for parent, folders, names in os.walk(folder, onerror=unreadable, followlinks=True):
        real = os.path.realpath(parent)
        if real in seen:  # a link that leads back
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in suffixes:
                yield Path(parent, name)


def unreadable(error: OSError) -> NoReturn:
    """Raise PipelineError for a folder that cannot be read."""
    words = str(error.strerror).lower()
    raise PipelineError(
        f"The folder {error.filename} cannot be read ({words}). Fix its permissions, or move it out of the corpus."
    )


def need_folder(root: Path, key: str, advice: str) -> None:
    """PipelineError naming ``key`` unless ``root`` is a folder."""
    if not root.exists():
        raise PipelineError(f"{key}: the folder {root} does not exist. {advice}")
    if not root.is_dir():
        raise PipelineError(f"{key}: {root} is a file; it must be a folder. {advice}")
