"""Processes that real torchrun starts train as one process does."""

import csv
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.training.together import TRAININGS, run, step_exactly

pytestmark = pytest.mark.slow

TORCHRUN = [sys.executable, "-m", "torch.distributed.run"]


def start(*command: str, **environment: str) -> subprocess.Popen[str]:
    alone = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
    return subprocess.Popen(command, env=alone, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def outs(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "out").iterdir())}


def curves(folder: Path) -> list[dict[str, float]]:
    with (folder / "out" / "history.csv").open() as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of two processes that did `tests.training.together.everything`."""
    folder = tmp_path_factory.mktemp("together")
    process = start(
        *TORCHRUN, "--standalone", "--nproc-per-node=2", "-m", "tests.training.together", "everything", str(folder)
    )
    printed, _ = process.communicate()
    assert process.returncode == 0, printed
    return folder


@pytest.mark.parametrize("name", TRAININGS)
def test_two_processes_follow_the_curve_of_one(name: str, together: Path, tmp_path: Path) -> None:
    run(name, tmp_path)
    alone, shared = curves(tmp_path / name), curves(together / "rank0" / name)
    assert [row["step"] for row in shared] == [row["step"] for row in alone] != []
    for row, expected in zip(shared, alone, strict=True):
        assert list(row) == list(expected)
        np.testing.assert_allclose(list(row.values()), list(expected.values()), rtol=1e-4, atol=1e-4)
    assert list(outs(together / "rank0" / name)) == list(outs(tmp_path / name))


def test_a_step_is_the_same_but_for_rounding(together: Path) -> None:
    """In float64: gradients, also through dropout and two judgements in a row, and the statistics of normalisation."""
    expected = step_exactly()
    with np.load(together / "exact.npz") as found:
        assert set(found) == set(expected)
        for name, value in expected.items():
            np.testing.assert_allclose(found[name], value, rtol=1e-9, atol=1e-12, err_msg=name)


def test_only_the_first_process_writes(together: Path) -> None:
    assert (together / "rank0" / "vgnet" / "out" / "model.safetensors").exists()
    assert not (together / "rank1").exists()


def test_errors_of_several_processes_are_raised_in_all(together: Path) -> None:
    said = [json.loads((together / f"messages{rank}.json").read_text()) for rank in (0, 1)]
    for uneven, recurrence, other, failed in said:
        assert uneven == (
            "vgnet.batch is 3, which 2 processes cannot share evenly. Start as many as can (1, 3), or make vgnet.batch "
            "a multiple of 2."
        )
        assert "Start one process, or set vgnet.recurrence to time" in recurrence
        assert re.match("Process 1 on .* has other params or other data than process 0", other)
        assert re.match(r"Training failed at step 2: the loss `loss` is nan", failed)


def test_job_with_a_killed_process_resumes_on_two_machines(together: Path, tmp_path: Path) -> None:
    """As if nothing had been: the bytes are those of the processes that nobody killed."""
    code = "from pipeline.training.distribution import launch; launch('tests.training.together', 2)"
    process = start(sys.executable, "-c", code, FOLDER=str(tmp_path))
    history = tmp_path / "rank0" / "vgnet" / "out" / "history.csv"
    while not (history.exists() and len(history.read_text().splitlines()) > 1) and process.poll() is None:
        time.sleep(0.005)
    os.kill(int((tmp_path / "pid1").read_text()), signal.SIGKILL)
    printed, _ = process.communicate()
    assert process.returncode != 0
    assert "PipelineError: Process 1 of 2 was killed (SIGKILL)" in printed, printed
    assert not (history.parent / "model.json").exists()

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    nodes = [f"--rdzv-endpoint=127.0.0.1:{port}", "--rdzv-backend=c10d", "--nnodes=2", "--nproc-per-node=1"]
    module = ["-m", "tests.training.together", "long", str(tmp_path)]
    machines = [start(*TORCHRUN, *nodes, "--local-addr=127.0.0.1", *module) for _ in range(2)]
    for machine in machines:
        printed, _ = machine.communicate()
        assert machine.returncode == 0, printed
    assert outs(tmp_path / "rank0" / "vgnet") == outs(together / "rank0" / "vgnet")
