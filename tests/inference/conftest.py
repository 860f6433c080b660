"""Shared fixtures: models, and the picture and speech of the docs."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pipeline.inference.talking_head import TalkingHead
from pipeline.landmarks.pca import LandmarkModel, fit_model
from pipeline.media import read_audio
from pipeline.models.atnet import AtNet
from pipeline.models.vgnet import VgNet
from pipeline.preprocessing.project import ProjectPreprocessing
from pipeline.speech.features import SpeechFeatures

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="session")
def shipped() -> TalkingHead:
    """The models that ship with the project."""
    return TalkingHead.from_pretrained()


@pytest.fixture(scope="session")
def face_file() -> Path:
    """A picture with one face, 360x288."""
    return DOCS / "pictures" / "face.jpg"


@pytest.fixture(scope="session")
def speech_file() -> Path:
    """A sentence of 3 s."""
    return DOCS / "speech.wav"


@pytest.fixture(scope="session")
def sentence(speech_file: Path) -> NDArray[np.int16]:
    """The samples of the sentence."""
    return read_audio(speech_file)


@pytest.fixture(scope="session")
def clip(corpora: Path) -> Path:
    """A real speaker of the models' training, 3 s."""
    return sorted((corpora / "grid" / "s1").glob("*.mpg"))[60]


@pytest.fixture(scope="session")
def landmarks() -> LandmarkModel:
    """A landmark model of random faces."""
    draw = np.random.default_rng(0)
    face = draw.normal(64, 20, (68, 2))
    return fit_model([face + draw.normal(0, 1, (20, 68, 2)) for _ in range(3)], 6)


@pytest.fixture(scope="session")
def head(landmarks: LandmarkModel) -> TalkingHead:
    """Small networks that are not trained."""
    torch.manual_seed(0)
    preprocessing = ProjectPreprocessing(landmarks, SpeechFeatures.of(0.025))
    return TalkingHead(AtNet(width=8), VgNet(width=8), preprocessing, torch.device("cpu"))


@pytest.fixture
def face(tmp_path: Path, photograph: NDArray[np.uint8]) -> Path:
    """A real photograph as a file, 512x512."""
    path = tmp_path / "face.jpg"
    cv2.imwrite(str(path), photograph[:, :, ::-1])
    return path
