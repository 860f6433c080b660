"""A few real clips through the stages extract, landmarks and mfcc, as `dvc repro` leaves them."""

from pathlib import Path

import pytest

from pipeline.config.params import Mfcc
from pipeline.prepare.speech_features import build_mfcc
from tests.prepare.bad_media.film import face_at, film
from tests.prepare.bad_media.stages import lenient, run_stages

NAMES = ("a", "b", "c/v1.0.final", "c/100%2E", "eine Ärztin 电影", "d")
FACELESS = "e"


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data/clips, data/faces and data/mfcc; one clip has no face."""
    folder = tmp_path_factory.mktemp("prepared")
    for number, name in enumerate(NAMES):
        film(folder / f"data/videos/{name}.mp4", seconds=0.8 + 0.08 * number)
    film(folder / f"data/videos/{FACELESS}.mp4", draw=lambda time: face_at(999))
    run_stages(folder / "data/videos", lenient(folder / "data/videos"))
    build_mfcc(folder / "data/clips", Mfcc(), folder / "data/mfcc", 1)
    return folder
