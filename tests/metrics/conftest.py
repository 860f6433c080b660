"""Real clips, read once."""

from pathlib import Path

import pytest

from benchmarks.closed_lips import Real, read_clip


@pytest.fixture(scope="package")
def real_clips(corpora: Path) -> list[Real]:
    """One each of three speakers, seen and heard as in the evaluation."""
    names = ("s1/bbaf3s", "s2/pwij3p", "s3/sbia1a")
    clips = [read_clip(corpora / "grid" / f"{name}.mpg", name.split("/")[0]) for name in names]
    return [clip for clip in clips if clip is not None]
