"""What can be wrong with a media file: as an exception when nothing can be read, as a count when something can."""

from dataclasses import dataclass
from pathlib import Path

from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath


class MediaError(PipelineError):
    """A file that cannot be read or written as asked.

    ``reason`` does not name the file, so tables that contain it are the same on every machine.
    """

    separator = ": "

    def __init__(self, path: StrPath, reason: str, advice: str = "") -> None:
        super().__init__(reason, subject=path, advice=advice)
        self.path = Path(path)

    def __reduce__(self) -> tuple[type["MediaError"], tuple[Path, str, str]]:
        """Let the exception survive the way back from a worker process."""
        return MediaError, (self.path, self.reason, self.advice)


@dataclass
class Damage:
    """Counts what a decoder could not read properly while it went on. Pass one in, read it when the reading is over."""

    lost: int = 0
    """Packets that gave nothing, frames without a usable time, and ends that broke off."""
    concealed: int = 0
    """Frames that came out with bitstream errors, which the decoder painted over."""

    def __str__(self) -> str:
        """For example ``1 frame concealed, 2 packets lost``; empty without damage."""
        parts = []
        if self.concealed:
            parts.append(f"{self.concealed} frame{'s' * (self.concealed > 1)} concealed")
        if self.lost:
            parts.append(f"{self.lost} packet{'s' * (self.lost > 1)} lost")
        return ", ".join(parts)
