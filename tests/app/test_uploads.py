"""What the page takes: speech that is not too long."""

from pathlib import Path

import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]

from pipeline.app.uploads import check_length
from pipeline.runtime.errors import PipelineError


def test_the_length_is_that_of_the_sound_itself(tmp_path: Path) -> None:
    path = tmp_path / "speech.flac"
    soundfile.write(path, np.zeros(2 * 16000 + 1), 16000)
    check_length(path, 2.1)
    with pytest.raises(
        PipelineError, match=r"The speech is longer than 2 seconds, which this page takes at most. Cut it."
    ):
        check_length(path, 2)
