"""How large uploads may be, how long, where they lie, and when they go."""

import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from pipeline.media import read_audio_blocks
from pipeline.runtime.clock import FPS, RATE
from pipeline.runtime.errors import PipelineError

BYTES = 100_000_000
"""The largest upload."""
KEPT = 30 * 60
"""Seconds after which uploads and videos are deleted."""


def check_length(path: Path, seconds: float) -> None:
    """PipelineError for sound of more than ``seconds``, of which no more than that is decoded."""
    heard = read_audio_blocks(path, duration=seconds + 1 / FPS, by_itself=True)
    if sum(map(len, heard)) > seconds * RATE:
        raise PipelineError(f"The speech is longer than {seconds:g} seconds, which this page takes at most. Cut it.")


def check_uploaded(path: Path, places: Iterable[Path]) -> None:
    """PipelineError for what is not a file in one of ``places``, or one of them: a request made by hand may name any
    path of the machine. The message does not say whether it is there.
    """
    real = path.resolve()
    if not (any(real.is_relative_to(place.resolve()) for place in places) and real.is_file()):
        raise PipelineError(f"{path.name} was not uploaded here. Upload it.")


def delete_old(folder: Path, seconds: float = KEPT) -> None:
    """Delete what came into ``folder`` more than so many ``seconds`` ago, and what was left empty by it.

    Gradio's own `delete_cache` knows of whole uploads alone, and leaves those that were broken off.
    """
    for path in sorted(folder.rglob("*"), reverse=True):  # what lies in a folder before it
        with suppress(OSError):  # gone meanwhile, or not empty
            if time.time() - path.lstat().st_ctime > seconds:
                path.rmdir() if path.is_dir() else path.unlink()
