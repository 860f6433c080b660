"""Finds the videos to score. This module imports nothing slow, so a mistake in a path is reported at once."""

from collections.abc import Sequence
from pathlib import Path

from pipeline.corpora.base import files_below
from pipeline.corpora.layout import VIDEOS, names_below
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import real_path

PICTURES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
"""Suffixes of pictures."""
REFERENCES = (*VIDEOS, *PICTURES)
"""Suffixes of references."""
MIN_CLIPS = 8
"""The self-test needs this many real videos. The intervals of fewer clips are too narrow to judge by."""


def name_systems(texts: Sequence[str]) -> dict[str, Path]:
    """The folder of each system from arguments such as ``ours=videos/a``, or ``videos/ours``, which is named ``ours``.

    Raises PipelineError if a system has no name, or two systems have one name.
    """
    systems: dict[str, Path] = {}
    for text in texts:
        name, equals, folder = text.partition("=")
        if equals and not Path(text).exists():
            name, path = name.strip(), Path(folder)
        else:
            name, path = real_path(text).name, Path(text)
        if not name or name in systems:
            why = "two systems have the name" if name in systems else "this is an invalid name of a system:"
            raise PipelineError(f"--fake {text}: {why} {name!r}. Give each another, as in --fake NAME=DIR.")
        systems[name] = path
    return systems


def find_videos(folder: Path, option: str, suffixes: Sequence[str] = VIDEOS) -> dict[str, Path]:
    """Find the videos below a folder, following links: absolute paths by the path below ``folder`` without suffix.

    Files that differ only in the suffix keep it. Raises PipelineError, which names the command's ``option``, if the
    folder does not exist or has no such file, or for a name that is not valid UTF-8.
    """
    if not folder.is_dir():
        raise PipelineError(f"{option}: {folder} is not a folder. Give one that holds the videos.")
    paths = list(files_below(folder, tuple(suffixes)))
    if not paths:
        raise PipelineError(f"{option}: {folder} holds no file with a suffix of {', '.join(suffixes)}.")
    return {name: path.absolute() for name, path in names_below(folder, paths, option).items()}


def find_test_videos(folder: Path) -> dict[str, Path]:
    """`find_videos` for the self-test. Raises PipelineError if there are fewer than `MIN_CLIPS`."""
    videos = find_videos(folder, "--real")
    if len(videos) < MIN_CLIPS:
        raise PipelineError(
            f"--real: the self-test needs {MIN_CLIPS} videos or more, and {folder} holds {len(videos)}. "
            "The intervals of fewer videos are too narrow."
        )
    return videos
