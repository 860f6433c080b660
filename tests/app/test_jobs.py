"""Messages of a job."""

import logging
from pathlib import Path

import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]
from PIL import Image

from pipeline.app.jobs import Jobs
from pipeline.inference.settings import Settings
from pipeline.runtime.errors import PipelineError


def run_job(folder: Path, model: str) -> None:
    Image.new("RGB", (64, 64)).save(folder / "face.png")
    soundfile.write(folder / "speech.wav", np.zeros(1600), 16000)
    jobs = Jobs({}, 10, [folder])
    settings = Settings()
    with jobs.video("a", model, folder / "face.png", folder / "speech.wav", settings, lambda *_: None, print):
        pass


def test_an_internal_error_is_logged_and_described(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR), pytest.raises(PipelineError) as raised:
        run_job(tmp_path, "a model that is not there")
    assert str(raised.value) == (
        "face.png and speech.wav could not be made into a video because of an internal error. Try other files. "
        "Whoever runs this page finds the cause in its log."
    )
    (record,) = caplog.records
    assert record.exc_info is not None
    assert record.exc_info[0] is KeyError
