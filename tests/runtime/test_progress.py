import os
import pty
import re
import subprocess
import sys
import time

import pytest

from pipeline.runtime.progress import progress

WORK = """
import time
from pipeline.runtime.progress import progress

with progress("faces", 4) as advance:
    advance(3)
    time.sleep(0.3)
"""


def test_lines_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("faces", 100, every=0.05) as advance:
        advance(20)  # at once: no line yet
        time.sleep(0.06)
        advance(20)
        advance(0)
        time.sleep(0.06)
        advance(0)  # nothing new, nothing to say
        advance(10)
    first, second = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"faces: 40 of 100, \d+\.\d per second, 0:00:00 to go", first)
    assert second.startswith("faces: 50 of 100, ")


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
