"""What the pictures of a video are, found by reading all or the first of them."""

from pathlib import Path

from pipeline.media import Damage, read_frames, ticks


def count_frames(path: Path, *, start: float = 0.0, duration: float | None = None, damage: Damage | None = None) -> int:
    """The number of pictures that `read_frames` yields, without converting any."""
    return sum(1 for _ in ticks(path, start=start, duration=duration, damage=damage))


def picture_size(path: Path) -> tuple[int, int]:
    """Width and height of the first picture."""
    height, width, _ = next(read_frames(path)).shape
    return width, height
