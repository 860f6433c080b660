"""How large uploads may be, and how long."""

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
