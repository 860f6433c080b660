"""The videos that a person gives, found before anything slow is loaded."""

from collections.abc import Sequence
from pathlib import Path

from pipeline.corpora.base import files_below
from pipeline.corpora.layout import VIDEOS
from pipeline.runtime.errors import PipelineError


def find_videos(given: Sequence[Path]) -> list[Path]:
    """The files, and those in folders, in the order they are given in. PipelineError for what is no video."""
    files: list[Path] = []
    for one in given:
        found = list(files_below(one, VIDEOS)) if one.is_dir() else [one]
        if not found or not one.exists() or found[0].suffix.lower() not in VIDEOS:
            raise PipelineError(
                f"{one} is not a video ({', '.join(VIDEOS)}), nor a folder with one. Give --video others."
            )
        files += found
    return files
