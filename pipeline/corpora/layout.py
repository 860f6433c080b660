"""Finding a corpus's files where archives, copies and file systems laid them, and saying what was found instead."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from pipeline.corpora.base import unreadable

VIDEOS = (
    *(".3gp", ".asf", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg"),
    *(".mts", ".mxf", ".ogv", ".ts", ".vob", ".webm", ".wmv"),
)
"""Suffixes of what counts as a video."""
ARCHIVES = (".7z", ".bz2", ".gz", ".rar", ".tar", ".tgz", ".xz", ".zip")

_DEPTH = 3
_ENTRIES = 10_000  # of a folder that are counted for a message
_NAMES = 3


def levels(root: Path) -> Iterator[list[Path]]:
    """The folders below ``root``, sorted, level by level, down to the third; hidden ones left out.

    Raises PipelineError when ``root`` cannot be read; what is in others that cannot is passed over.
    """
    level = subfolders(root)
    yield level
    for _ in range(1, _DEPTH):
        level = [Path(one) for folder in level for one in _list(folder, lambda error: None)]
        yield level


def subfolders(folder: Path) -> list[Path]:
    """Those of a folder, sorted; hidden ones left out. Raises PipelineError for a folder that cannot be read."""
    return [Path(one) for one in _list(folder, unreadable)]


def _list(folder: Path, report: Callable[[OSError], None]) -> list[str]:
    parent, names, _ = next(os.walk(folder, onerror=report, followlinks=True), (str(folder), [], []))
    return [os.path.join(parent, name) for name in sorted(names) if not name.startswith(".")]


def contents(root: Path) -> str:
    """What a folder holds, in a few words, such as "the folders S1, S2; 3 .MPG"."""
    names = [os.path.basename(one) for one in _list(root, lambda error: None)]
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    told = [f"the folder{'s' * (len(names) > 1)} {', '.join(names[:_NAMES])}{more}"] if names else []
    kinds = Counter(path.suffix or "without suffix" for path in _files(root))
    told += [f"{kinds[kind]} {kind}" for kind in sorted(kinds, key=lambda kind: (-kinds[kind], kind))[:_NAMES]]
    return "; ".join(told) or "nothing"


def unpacking(root: Path) -> str:
    """What to do with the archives that a folder holds; empty where it has none, or has videos."""
    files = list(_files(root))
    packed = [path for path in files if path.suffix.lower() in ARCHIVES]
    if not packed or any(path.suffix.lower() in VIDEOS for path in files):
        return ""
    rest = f" and {len(packed) - 1} more" if len(packed) > 1 else ""
    return f"Unpack {packed[0].relative_to(root)}{rest} there."


def _files(root: Path) -> Iterator[Path]:
    files = (Path(parent, name) for parent, _, names in os.walk(root) for name in sorted(names))
    return islice((path for path in files if not path.name.startswith(".")), _ENTRIES)
