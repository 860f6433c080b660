"""Real clips, and videos made of them as other systems would make them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.media import VideoWriter, read_audio, read_frames

Image = NDArray[np.uint8]
CLIPS = ("s1/bbaf3s", "s2/pwij3p")
FRAMES = 20


def frames_of(corpora: Path, clip: str, frames: int = FRAMES) -> list[Image]:
    return list(read_frames(corpora / "grid" / f"{clip}.mpg", start=0.6, duration=frames / 25))


def sound_of(corpora: Path, clip: str, frames: int = FRAMES) -> NDArray[np.int16]:
    return read_audio(corpora / "grid" / f"{clip}.mpg", start=0.6, duration=frames / 25)


def write(
    path: Path, frames: Sequence[Image], sound: NDArray[np.int16] | None = None, fps: float = 25, crf: int = 12
) -> Path:
    height, width = frames[0].shape[:2]
    with VideoWriter(path, size=(width, height), fps=fps, audio=sound, crf=crf) as video:
        for frame in frames:
            video.write(frame)
    return path
