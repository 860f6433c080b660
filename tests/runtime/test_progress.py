import os
import pty
import re
import subprocess
import sys
import time

import pytest

from pipeline.runtime.progress import progress, with_progress

WORK = """
import time
from pipeline.runtime.progress import progress

with progress("faces", 4) as advance:
    advance(3)
    time.sleep(0.3)
"""


def test_lines_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Also while nothing new is done. On a busy machine further lines may appear."""
    with progress("faces", 100, every=0.2) as advance:
        advance(40, "loss 0.5")
        time.sleep(0.5)
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"faces: 40 of 100, loss 0\.5, [\d.]+ per second, 0:00:0\d to go", first)
    assert re.fullmatch(r"faces: 40 of 100, loss 0\.5, after 0:00:0\d", second)


def test_no_line_after_the_work(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("faces", 4, every=0.1) as advance:
        advance(4)
    capsys.readouterr()
    time.sleep(0.2)
    assert capsys.readouterr().out == ""


def test_items_pass_through() -> None:
    assert list(with_progress(iter("abc"), "letters", 3)) == list("abc")


def test_bar_on_a_terminal() -> None:
    master, slave = pty.openpty()
    subprocess.run([sys.executable, "-c", WORK], stdout=slave, env={**os.environ, "TERM": "xterm"}, check=True)
    os.close(slave)
    shown = os.read(master, 100_000).decode()
    os.close(master)
    assert "faces" in shown
    assert "75%" in shown


def test_short_work_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("faces", 4) as advance:
        advance(4)
    assert capsys.readouterr().out == ""
