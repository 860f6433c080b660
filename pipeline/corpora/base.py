"""The protocol of a corpus, and the registry of all corpora."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, NoReturn, Protocol

from pipeline.config.ranges import Section, require
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.plugins import Registry

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")


@dataclass(frozen=True)
class Clip:
    """One clip: a file, or a section of one."""

    id: str
    """Unique in the corpus, with forward slashes, the same on every machine."""
    speaker: str
    """Empty if unknown."""
    split: Split
    text: str
    """The spoken words; empty if unknown."""
    path: Path
    """Absolute."""
    start: float = 0.0
    """Seconds after the video's first frame."""
    duration: float | None = None
    """Seconds; None means to the end of the file."""
    sound_delay: float = 0.0
    """Seconds by which the sound must be delayed to fit the picture; negative values advance it."""


class Corpus(Protocol):
    """A folder of clips in some layout."""

    @property
    def root(self) -> Path:
        """The corpus's folder, absolute. Paths in the manifest are relative to it."""

    def clips(self) -> list[Clip]:
        """All clips, sorted by id.

        Raises PipelineError, naming the key of params.yaml to change, if the root is missing or empty, if a filter
        leaves nothing, or if a split would have no clip.
        """


@dataclass(frozen=True)
class Opening:
    """What a corpus needs besides its own params."""

    root: Path
    """Absolute."""
    key: str
    """The corpus's section of params.yaml, for messages."""
    seed: int = 0
    min_frames: int = 0
    """Later stages reject clips with fewer frames at 25 fps."""
    time_limit: float = 0.0
    """Seconds before reading a file is given up; 0: no limit."""


@dataclass(frozen=True)
class OpenedCorpus:
    """What the corpora here have in common: their params, and what else they need."""

    params: Any
    opening: Opening

    @property
    def root(self) -> Path:
        """The corpus's folder, absolute."""
        return self.opening.root


@dataclass(frozen=True)
class CorpusEntry:
    """A corpus in the registry."""

    name: str
    """In params.yaml: the value of ``corpus``, and its section of ``corpora``."""
    title: str
    """A one-line description."""
    layout: str
    """The layout of its files below the root."""
    params: type[Any]
    """The dataclass of its section. A field ``root`` names the corpus's folder."""
    open: Callable[[Any, Opening], Corpus]
    """Makes the corpus from its params and an `Opening`; nothing is read before ``clips()``."""
    licence: str
    """The licence of its clips, which also binds models trained on them."""
    attribution: str
    """The credit that the licence asks for."""
    made: bool = False
    """Whether a stage makes its clips, so that there are none before `dvc repro`."""
    caveat: str = ""
    """A sentence on the limits of models that were trained on this corpus alone."""

    @property
    def has_root(self) -> bool:
        """Whether the user chooses its folder."""
        return any(field.name == "root" for field in fields(self.params))


CORPORA: Registry[CorpusEntry] = Registry()
"""All corpora by name; `pipeline.corpora.registry` fills it."""
register = CORPORA.add
"""Adds a corpus."""


def require_shares(val: float, test: float) -> None:
    """Raise ValueError unless both are shares that leave clips for training."""
    fit = 0 < val < 1 and 0 < test < 1 and val + test < 1
    require(fit, "val and test are shares above 0 that leave a rest for training")


@dataclass(frozen=True)
class SplitSection(Section):
    """Base of a corpus's section that has shares of its clips, videos, speakers or photographs."""

    val: float = 0.1
    """Share for validation."""
    test: float = 0.1
    """Share for the test."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require_shares(self.val, self.test)


def files_below(folder: Path, suffixes: tuple[str, ...]) -> Iterator[Path]:
    """Files below ``folder`` with one of ``suffixes``, in any case. Links are followed, hidden files are skipped.

    Raises PipelineError for a folder that cannot be read, because its files must not be ignored silently.
    """
    visited: set[str] = set()
    for parent, folders, names in os.walk(folder, onerror=unreadable, followlinks=True):
        real = os.path.realpath(parent)
        if real in visited:  # a link to a folder above
            folders.clear()
            continue
        visited.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in suffixes:
                yield Path(parent, name)


def unreadable(error: OSError) -> NoReturn:
    """Raise PipelineError for a folder that cannot be read."""
    reason, advice = str(error.strerror).lower(), "Fix its permissions, or move it out of the corpus."
    raise PipelineError(f"The folder {error.filename} cannot be read ({reason}). {advice}")


def need_folder(root: Path, key: str, advice: str) -> None:
    """Raise PipelineError, naming ``key``, unless ``root`` is a folder."""
    if not root.is_dir():
        fault = f"{root} is a file; it must be a folder" if root.exists() else f"the folder {root} does not exist"
        raise PipelineError(f"{key}: {fault}. {advice}")
