"""Find a corpus's files in the layouts that archives, copies and file systems produce, and describe other contents."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from pipeline.corpora.base import unreadable
from pipeline.runtime.errors import PipelineError

VIDEOS = (
    *(".3gp", ".asf", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg"),
    *(".mts", ".mxf", ".ogv", ".ts", ".vob", ".webm", ".wmv"),
)
"""Suffixes of videos."""
PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".avif", ".heic")
"""Suffixes of photographs."""
ARCHIVES = (".7z", ".bz2", ".gz", ".rar", ".tar", ".tgz", ".xz", ".zip")

_DEPTH = 3
_ENTRIES = 10_000  # files counted for a message, at most
_NAMES = 3


def levels(root: Path) -> Iterator[list[Path]]:
    """The folders of each of three levels below ``root``, sorted, without hidden ones.

    Raises PipelineError if ``root`` cannot be read; unreadable folders below it count as empty.
    """
    level = subfolders(root)
    yield level
    for _ in range(1, _DEPTH):
        level = [path for folder in level for path in subfolders(folder, on_error=None)]
        yield level


def subfolders(folder: Path, on_error: Callable[[OSError], None] | None = unreadable) -> list[Path]:
    """The folders in ``folder``, sorted, without hidden ones. Raises PipelineError if it cannot be read.

    Without ``on_error``, an unreadable folder counts as empty.
    """
    _, names, _ = next(os.walk(folder, onerror=on_error), ("", [], []))
    return [folder / name for name in sorted(names) if not name.startswith(".")]


def contents(root: Path) -> str:
    """Describe a folder's contents in a few words, such as "the folders S1, S2; 3 .MPG"."""
    names = [folder.name for folder in subfolders(root, on_error=None)]
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    parts = [f"the folder{'s' * (len(names) > 1)} {', '.join(names[:_NAMES])}{more}"] if names else []
    kinds = Counter(path.suffix or "without suffix" for path in _files(root))
    parts += [f"{kinds[kind]} {kind}" for kind in sorted(kinds, key=lambda kind: (-kinds[kind], kind))[:_NAMES]]
    return "; ".join(parts) or "nothing"


def unpacking(root: Path) -> str:
    """Advice to unpack the archives in a folder; empty if it has none, or has videos."""
    files = list(_files(root))
    packed = [path for path in files if path.suffix.lower() in ARCHIVES]
    if not packed or any(path.suffix.lower() in VIDEOS for path in files):
        return ""
    rest = f" and {len(packed) - 1} more" if len(packed) > 1 else ""
    return f"Unpack {packed[0].relative_to(root)}{rest} there."


def _files(root: Path) -> Iterator[Path]:
    files = (Path(parent, name) for parent, _, names in os.walk(root) for name in sorted(names))
    return islice((path for path in files if not path.name.startswith(".")), _ENTRIES)


def names_below(root: Path, paths: Sequence[Path], what: str) -> dict[str, Path]:
    """Names of files: their paths below ``root`` without suffix, but with it where two files would have equal names.

    Raises PipelineError, naming the parameter or option ``what``, for a name that is not valid UTF-8.
    """
    relative = [path.relative_to(root) for path in paths]
    stems = Counter(path.with_suffix("") for path in relative)
    names = {}
    for path, below in zip(paths, relative, strict=True):
        name = (below.with_suffix("") if stems[below.with_suffix("")] == 1 else below).as_posix()
        try:
            name.encode()
        except UnicodeEncodeError:
            raise PipelineError(f"{what}: the file name {name!r} is not valid UTF-8. Rename it.") from None
        names[name] = path
    return names
