"""How large uploads may be, how long, and where they lie."""

from collections.abc import Iterable
from pathlib import Path

from pipeline.media import read_audio_blocks
from pipeline.runtime.clock import FPS, RATE
from pipeline.runtime.errors import PipelineError

BYTES = 100_000_000
"""The largest upload."""


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
