"""A signal ends a program in order: one line, its exit code, and nothing of what it was writing."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

WRITES = """
import sys, tempfile, time
from pathlib import Path
from pipeline.runtime import workers
from pipeline.runtime.errors import clear_errors
from pipeline.runtime.files import replacing

def slow(number):
    time.sleep(0.05)

with clear_errors("program"), tempfile.TemporaryDirectory(dir=".") as folder, replacing(Path("out")) as unfinished:
    unfinished.write_text("half")
    print("ready", flush=True)
    while sys.argv[1] == "alone":
        time.sleep(0.05)
    dropped = 0
    while sys.argv[1] == "dropped":
        try:
            time.sleep(0.05)
        except BaseException:
            dropped += 1
            if dropped == 3:
                raise
    for _ in workers.run(((slow, (number,), {}) for number in range(2000)), 2):
        print("working", flush=True)
"""


def start(folder: Path, how: str, *before: str) -> "subprocess.Popen[str]":
    command = [*before, sys.executable, "-c", WRITES, how]
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout
    wanted = "working" if how == "workers" else "ready"
    while process.stdout.readline().strip() != wanted:
        assert process.poll() is None
    return process


@pytest.fixture(autouse=True)
def _library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))


@pytest.mark.parametrize(
    ("how", "number"),
    [
        ("alone", signal.SIGTERM),
        ("alone", signal.SIGINT),
        ("alone", signal.SIGHUP),
        ("workers", signal.SIGTERM),
        ("workers", signal.SIGINT),
        ("dropped", signal.SIGTERM),
    ],
)
def test_no_temporary_files_remain(tmp_path: Path, how: str, number: signal.Signals) -> None:
    process = start(tmp_path, how)
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    said = [line for line in errors.splitlines() if "resource_tracker" not in line and "warnings.warn" not in line]
    assert said == [
        f"program: Stopped ({number.name}). Run the same command again; what is finished is not done again."
    ]
    assert not list(tmp_path.iterdir())


def test_repeated_signals_count_once(tmp_path: Path) -> None:
    process = start(tmp_path, "workers")
    for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGHUP):
        process.send_signal(number)
        time.sleep(0.05)
    _, errors = process.communicate(timeout=30)
    # in its very last moments the interpreter leaves signals to the system, which ends it with the same code in a shell
    assert process.returncode in (128 + signal.SIGTERM, -signal.SIGTERM, -signal.SIGHUP)
    assert errors.count("Stopped") == 1
    assert "Traceback" not in errors
    assert not list(tmp_path.iterdir())


def test_ignored_signals_stay_ignored(tmp_path: Path) -> None:
    process = start(tmp_path, "alone", "nohup")
    process.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    assert process.poll() is None
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM


def test_signals_that_the_tests_own_process_ignores_reach_their_programs() -> None:
    """As when `make test` runs in the background, under nohup."""
    ignored = "signal.signal(signal.SIGINT, signal.SIG_IGN); signal.signal(signal.SIGHUP, signal.SIG_IGN)"
    words = [__file__, "-k", "no_temporary_files_remain and alone", "-p", "no:cacheprovider"]
    code = f"import signal, sys, pytest; {ignored}; sys.exit(pytest.main({words!r}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
