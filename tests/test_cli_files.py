"""Files of commands: checks before the networks are loaded, and pipes."""

import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]
from numpy.typing import NDArray

from pipeline.bundles.bundle import write_card
from tests import forked
from tests.factories import write_bundle
from tests.media.pictures import count_frames

ATVGNET = str(Path(sys.executable).parent / "atvgnet")
_RUN = "import atexit, sys; atexit.register(lambda: print('torch' in sys.modules)); from pipeline.cli import app; app()"


@pytest.fixture
def folder(tmp_path: Path, photograph: NDArray[np.uint8]) -> Path:
    """A folder with a bundle, a picture and a second of speech."""
    write_bundle(tmp_path / "models")
    write_card(tmp_path / "models", {"trained_on": {"corpus": "sample"}})
    cv2.imwrite(str(tmp_path / "face.jpg"), photograph[:, :, ::-1])
    soundfile.write(tmp_path / "speech.wav", np.random.default_rng(0).normal(0, 0.1, 16000), 16000)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("generate -p face.jpg -i speech.wav -o there.mp4", "there.mp4 is there already. Give the output another name"),
        ("generate -p face.jpg -i speech.wav -o out.avi", "out.avi is not a .mp4 file."),
        ("generate -p face.jpg -i speech.wav -o face.jpg/out.mp4", "face.jpg/out.mp4 cannot be written: "),
        ("generate -p none.jpg -i speech.wav -o out.mp4", "none.jpg does not exist. Give a picture of a face."),
        ("generate -p face.jpg -i none.wav -o out.mp4", "none.wav does not exist. Give a sound or video file."),
        ("generate -p face.jpg --video none.mp4 -o out.mp4", "none.mp4 does not exist. Give a video of a face."),
        ("generate --batch none.csv", "none.csv does not exist. Give --batch a CSV with picture, speech, out."),
        ("personalize --video none.mp4 -o me", "none.mp4 is not a video ("),
        ("personalize --video there.mp4 -o models", "models has a bundle. Give another folder with --out, or remove"),
        ("export onnx --to models", "models is there already. Give a folder that is not."),
        ("export mlflow --to models", "models is there already. Give a folder that is not."),
        ("export bundle --to models", "models is there already. Give a folder that is not."),
    ],
)
def test_files_are_checked_before_the_networks_are_loaded(folder: Path, arguments: str, message: str) -> None:
    (folder / "there.mp4").touch()
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    command = [sys.executable, "-c", _RUN, *arguments.split()]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment)
    assert done.returncode == 1
    assert done.stderr.startswith(f"atvgnet: {message}")
    assert done.stdout == "False\n"  # torch was not loaded


def generating(*files: str) -> list[str]:
    picture, speech, out = files
    return ["generate", "--models", "models", "-p", picture, "-i", speech, "-o", out, "--crop"]


@pytest.mark.slow
def test_standard_input_that_does_not_block(folder: Path) -> None:
    """Node.js, ssh and some shells leave it non-blocking. The command waits for the data."""
    wav = (folder / "speech.wav").read_bytes()
    out, into = os.pipe()
    os.set_blocking(out, False)
    with forked.started(folder, *generating("face.jpg", "-", "out.mp4"), stdin=out) as program:
        os.close(out)
        for part in (wav[:20], wav[20:20000], wav[20000:]):
            os.write(into, part)
            time.sleep(0.3)
        os.close(into)
        assert program.finished().returncode == 0
    assert count_frames(folder / "out.mp4") == 25


@pytest.mark.slow
def test_speech_from_a_process_substitution(folder: Path) -> None:
    """Its path is one of an open pipe."""
    command = shlex.join(generating("face.jpg", "HERE", "out.mp4")).replace("HERE", "<(cat speech.wav)")
    done = subprocess.run(["bash", "-c", f"{ATVGNET} {command}"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert count_frames(folder / "out.mp4") == 25


@pytest.mark.slow
def test_a_full_disk_behind_standard_output(folder: Path) -> None:
    with open("/dev/full", "wb") as full:
        done = forked.run(folder, *generating("face.jpg", "speech.wav", "-"), stdout=full.fileno())
    assert done.returncode == 1
    message = "standard output: the disk that it goes to is full (No space left on device). Free space there."
    assert done.stderr.splitlines()[-1] == f"atvgnet: {message}"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-p", "a.jpg", "-i", "b.wav"], "Give a picture with -p, speech with -i and the output with -o, or all with"),
        (["--batch", "jobs.csv", "-o", "c.mp4"], "--batch has pictures, speech and outputs in its table: leave out"),
        (["-p", "a.jpg", "-i", "b.wav", "-o", "c.mp4", "--crop", "--head"], "The face alone does not sway: leave out"),
    ],
)
def test_options_that_exclude_each_other(folder: Path, options: list[str], message: str) -> None:
    done = forked.run(folder, "generate", *options)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith(f"atvgnet: {message}")
