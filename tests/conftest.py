"""What tests of several rooms share: real material, found through the environment or shipped in wheels."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

# Before anything reads it: tests run side by side, and trainings of several threads each would fight over the cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest
from numpy.typing import NDArray


def _folder(variable: str) -> Path:
    value = os.environ.get(variable)
    if not value:
        pytest.skip(f"{variable} is not set: the material this test needs is not part of the project")
    return Path(value)


@pytest.fixture(scope="session")
def corpora() -> Path:
    """Real GRID and LRW-like clips."""
    return _folder("ATVGNET_CORPORA")


@pytest.fixture(scope="session")
def original() -> Path:
    """Recorded outputs of the original release."""
    return _folder("ATVGNET_UPSTREAM")


@pytest.fixture(scope="session")
def photograph() -> NDArray[np.uint8]:
    """A real photograph with one face, RGB (512, 512, 3)."""
    from skimage import data

    return np.asarray(data.astronaut(), np.uint8)


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that everybody may write to and go through (tests/as_nobody.py)."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def _no_store_of_another_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow puts the store it is told of into the environment, where the next test's processes would find it."""
    for name in [name for name in os.environ if name.startswith(("MLFLOW_", "_MLFLOW_"))]:
        monkeypatch.delenv(name)
