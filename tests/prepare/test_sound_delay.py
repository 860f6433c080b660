"""Clips with delayed or advanced sound."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.corpora.base import Clip
from pipeline.prepare.extract import decode_clip
from pipeline.runtime.clock import RATE
from tests.media.encode import click, encode, even_times


@pytest.mark.parametrize("start", [0.0, 0.2])
@pytest.mark.parametrize("delay", [0.0, 0.4, -0.4])
def test_the_sound_is_moved_and_keeps_its_length(tmp_path: Path, start: float, delay: float) -> None:
    path = encode(tmp_path / "a.mkv", even_times(75, 25), audio=click(3.0, 1.0, RATE))
    row = decode_clip(Clip("a", "", "train", "", path, start, 2.0, sound_delay=delay))
    assert row["error"] == ""
    assert len(row["samples"]) == 2 * RATE
    assert int(np.argmax(row["samples"])) == pytest.approx((1.0 + delay - start) * RATE, abs=2)
    assert row["heard"] == pytest.approx(2.0)
