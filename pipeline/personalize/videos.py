"""Finds the video files. This module imports nothing slow, so a mistake is reported at once."""

from collections.abc import Sequence
from pathlib import Path

from pipeline.corpora.base import files_below
from pipeline.corpora.layout import VIDEOS
from pipeline.runtime.errors import PipelineError


def find_videos(paths: Sequence[Path]) -> list[Path]:
    """List the files, and those in folders, in order. Raises PipelineError for a path that is not a video."""
    files: list[Path] = []
    for path in paths:
        videos = list(files_below(path, VIDEOS)) if path.is_dir() else [path]
        if not videos or not path.exists() or videos[0].suffix.lower() not in VIDEOS:
            raise PipelineError(
                f"{path} is not a video ({', '.join(VIDEOS)}), nor a folder with one. Give --video others."
            )
        files += videos
    return files
