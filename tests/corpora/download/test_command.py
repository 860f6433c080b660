"""`atvgnet fetch` as a user calls it: output, kills, Ctrl-C, a second call."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.corpora.base import Opening
from pipeline.corpora.grid import Grid, GridParams
from tests.corpora.download.server import Zenodo, stalls

ATVGNET = str(Path(sys.executable).parent / "atvgnet")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "params.yaml").write_text(Path("params.yaml").read_text())
    return tmp_path


def fetch(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "200", "TERM": "dumb"}
    return subprocess.run([ATVGNET, "fetch", *arguments], cwd=project, env=environment, capture_output=True, text=True)


def stopped(project: Path, zenodo: Zenodo, with_signal: signal.Signals) -> tuple[int, str, int]:
    """Stop the command in the middle of s1.zip; exit code, errors, and the bytes that are there."""
    zenodo.acts["s1.zip"] = [stalls(6000)]
    command = [ATVGNET, "fetch", "grid", "--speakers", "s1", "--record", zenodo.record]
    process = subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    part = project / "data/raw/grid/.fetch/s1.zip.part"
    while not (part.exists() and part.stat().st_size == 6000) and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(with_signal)
    errors = process.communicate(timeout=60)[1]
    zenodo.acts.clear()
    return process.returncode, errors, part.stat().st_size


def clips(project: Path) -> list[str]:
    return [clip.id for clip in Grid(GridParams(), Opening(project / "data/raw/grid", "corpora.grid")).clips()]


@pytest.mark.slow
def test_grid_into_the_folder_of_params(project: Path, zenodo: Zenodo) -> None:
    done = fetch(project, "grid", "--speakers", "s1, s29", "--record", zenodo.record)
    root = project / "data/raw/grid"
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "s1: 4 clips, all with text",
        "s29: 2 clips, all with text",
        f"Now run: atvgnet use grid --root {root} && dvc repro",
    ]
    used = subprocess.run([ATVGNET, "use", "grid", "--root", str(root)], cwd=project, capture_output=True, text=True)
    assert used.stdout.splitlines()[0] == "corpus: sample -> grid"
    assert len(clips(project)) == 6


@pytest.mark.slow
@pytest.mark.parametrize("with_signal", [signal.SIGKILL, signal.SIGINT])
def test_stopped_in_the_middle(project: Path, zenodo: Zenodo, with_signal: signal.Signals) -> None:
    code, errors, there = stopped(project, zenodo, with_signal)
    if with_signal == signal.SIGINT:
        assert (code, errors) == (
            130,
            "atvgnet: Stopped (SIGINT). Run the same command again; what is finished is not done again.\n",
        )
    else:
        assert code == -signal.SIGKILL
    assert there == 6000 < len(zenodo.files["s1.zip"])
    zenodo.requests.clear()
    done = fetch(project, "grid", "--speakers", "s1", "--record", zenodo.record)
    assert done.returncode == 0, done.stderr
    assert zenodo.asked("s1.zip") == [f"bytes={there}-"]
    assert len(clips(project)) == 4


def test_errors_are_one_message(project: Path, zenodo: Zenodo) -> None:
    done = fetch(project, "grid", "--speakers", "s21", "--to", "my grid", "--record", zenodo.record)
    assert done.returncode == 1
    assert done.stderr == f"atvgnet: --speakers: {zenodo.record} has no 's21'. It has s1, s5, s6, s29.\n"


@pytest.mark.slow
def test_lrw(project: Path) -> None:
    done = fetch(project, "lrw")
    assert done.returncode == 1
    assert done.stderr.startswith(f"atvgnet: {project}/data/raw/lrw does not hold LRW's words.\n")
    (project / "mine/lipread_mp4/ABOUT/train").mkdir(parents=True)
    done = fetch(project, "lrw", "--to", "mine")
    assert done.returncode == 1
    assert "mine/lipread_mp4 is not the whole of LRW:\n  1 words of 500\n  0 clips of 488,766 in train" in done.stderr


def test_the_help_says_what_it_costs(project: Path) -> None:
    shown = " ".join(fetch(project, "grid", "--help").stdout.split())
    for part in ("--speakers", "--to", "--record", "14 GB", "Archives are deleted"):
        assert part in shown
