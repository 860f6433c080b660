"""Limits of uploads: size, length, place and lifetime."""

import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from pipeline.media import read_audio_blocks
from pipeline.runtime.clock import FPS, RATE
from pipeline.runtime.errors import PipelineError

BYTES = 100_000_000
"""Largest upload."""
KEPT = 30 * 60
"""Seconds after which uploads and videos are deleted."""


def check_length(path: Path, seconds: float) -> None:
    """Raise PipelineError if the sound is longer than ``seconds``. At most that much is decoded."""
    blocks = read_audio_blocks(path, duration=seconds + 1 / FPS, by_itself=True)
    if sum(map(len, blocks)) > seconds * RATE:
        raise PipelineError(f"The speech is longer than {seconds:g} seconds, which this page takes at most. Cut it.")


def check_uploaded(path: Path, places: Iterable[Path]) -> None:
    """Raise PipelineError if the path is neither one of ``places`` nor a file inside one.

    A handmade request may name any path of the machine. The message does not reveal whether it exists.
    """
    real = path.resolve()
    if not (any(real.is_relative_to(place.resolve()) for place in places) and real.is_file()):
        raise PipelineError(f"{path.name} was not uploaded here. Upload it.")


def delete_old(folder: Path, seconds: float = KEPT) -> None:
    """Delete files that are older than ``seconds``, and folders that become empty.

    Gradio's own `delete_cache` does not delete interrupted uploads.
    """
    for path in sorted(folder.rglob("*"), reverse=True):  # the content of a folder comes before the folder
        with suppress(OSError):  # deleted meanwhile, or not empty
            if time.time() - path.lstat().st_ctime <= seconds:
                continue
            if path.is_dir():
                path.rmdir()
            else:
                path.unlink()
