"""The base installation alone, in an environment of its own: it generates and evaluates, and says what it lacks."""

import os
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]
from numpy.typing import NDArray

from tests.base_environment import base_environment, pip
from tests.factories import write_bundle


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of its programs."""
    return base_environment(tmp_path_factory.mktemp("environment"))


@pytest.fixture
def folder(tmp_path: Path, photograph: NDArray[np.uint8]) -> Path:
    """A bundle, a picture and speech, and nothing else: no params.yaml, no project."""
    write_bundle(tmp_path / "models")
    cv2.imwrite(str(tmp_path / "face.jpg"), photograph[:, :, ::-1])
    samples = (np.random.default_rng(0).standard_normal(8000) * 3000).astype(np.int16)
    soundfile.write(tmp_path / "speech.wav", samples, 16000)
    return tmp_path


def run(environment: Path, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    program, *arguments = command
    return subprocess.run(
        [str(environment / program), *arguments], cwd=folder, env=clean, capture_output=True, text=True
    )


@pytest.mark.slow
def test_it_generates_with_the_models_of_the_package(environment: Path, folder: Path) -> None:
    command = ["atvgnet", "generate", "-p", "face.jpg", "-i", "speech.wav", "-o", "out.mp4"]
    done = run(environment, folder, *command)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("pretrained models:")
    assert "out.mp4: 13 frames, 0.52 s" in done.stdout
    assert (folder / "out.mp4").stat().st_size > 1000


@pytest.mark.slow
def test_it_has_neither_dvc_nor_mlflow_nor_dask(environment: Path) -> None:
    found = pip(environment, "list").lower().split()
    assert "torch" in found
    assert not {"dvc", "mlflow", "distributed", "ruamel.yaml", "psutil", "gradio", "pytest"} & set(found)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("use sample", "this needs the package ruamel. Install it with `pip install '.[pipeline]'` in a clone"),
        ("app", "this needs the package gradio. Install it with `pip install '.[app]'` in a clone"),
        (
            "export onnx --to onnx",
            "this needs the package onnxscript. Install it with `pip install '.[onnx]'` in a clone",
        ),
        (
            "generate --models models:/a@best -p face.jpg -i a.wav -o a.mp4",
            "models:/a@best needs MLflow. Install it with",
        ),
    ],
)
def test_what_it_lacks_is_said(environment: Path, folder: Path, command: str, said: str) -> None:
    done = run(environment, folder, "atvgnet", *command.split())
    assert done.returncode == 1
    assert done.stderr.startswith(f"atvgnet: {said}")
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_it_evaluates_and_generates_with_other_models(environment: Path, folder: Path) -> None:
    """The modules of the evaluation need nothing of the extras, and the report's template comes along.

    One process answers both, because it spends most of its time on imports.
    """
    modules = (
        "cli",
        "evaluation.models",
        "reports.page",
        "reports.terminal",
        "reports.score_tables",
        "preprocessing.published.import_weights",
    )
    names = ", ".join(f"pipeline.{module}" for module in modules)
    template = "(importlib.resources.files('pipeline.reports') / 'page.html').read_text()"
    arguments = ["generate", "--models", "models", "-p", "face.jpg", "-i", "speech.wav", "-o", "out.mp4"]
    program = f"import importlib.resources, {names}; {template}; pipeline.cli.app({arguments})"
    done = run(environment, folder, "python", "-c", program)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("models:")
    assert "out.mp4: 13 frames, 0.52 s" in done.stdout
    assert (folder / "out.mp4").stat().st_size > 1000
