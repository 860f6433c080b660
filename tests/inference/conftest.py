"""What tests of generation share: the models that ship, and the committed sample's picture and speech."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.inference.talking_head import TalkingHead
from pipeline.media import read_audio

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="session")
def shipped() -> TalkingHead:
    """The models that ship."""
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
    """Its samples."""
    return read_audio(speech_file)


@pytest.fixture(scope="session")
def clip(corpora: Path) -> Path:
    """A real speaker whom the models know, 3 s."""
    return sorted((corpora / "grid" / "s1").glob("*.mpg"))[60]
