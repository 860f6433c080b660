"""Hangs are real here: libav waits in the kernel for a pipe that nobody writes to, or whose writer stalls."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.media import read_frames
from pipeline.runtime.hashes import hash_file
from pipeline.runtime.time_limit import TimedOut, limited, within
from tests.media.encode import encode, even_times, number_of

SECONDS = 0.4


def pipe_behind(path: Path, suffix: str) -> Path:
    """Make ``path`` a regular file that libav takes for a list of files, of which the only one is a pipe."""
    pipe = path.with_name(f"pipe.{suffix}")
    os.mkfifo(pipe)
    path.write_text(f"ffconcat version 1.0\nfile {pipe.name}\n")
    return pipe


@pytest.mark.parametrize("work", [lambda path: av.open(str(path)), lambda path: path.read_bytes()])
def test_call_that_hangs_in_c_times_out(tmp_path: Path, work: Callable[[Path], object]) -> None:
    os.mkfifo(tmp_path / "a.mp4")
    start = time.monotonic()
    with pytest.raises(TimedOut) as caught:
        within(SECONDS, work, tmp_path / "a.mp4")
    assert caught.value.reason == "reading it hangs: nothing came for 0.4 s (extract.time_limit)"
    assert SECONDS <= time.monotonic() - start < SECONDS + 2


def test_hashing_that_hangs_times_out(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.mp4")
    assert hash_file(tmp_path / "a.mp4", SECONDS) == ""


def decoded(path: Path) -> Iterator[NDArray[np.uint8]]:
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield np.array(frame.to_ndarray(format="rgb24"), np.uint8)


def test_video_that_stalls_times_out(tmp_path: Path) -> None:
    """Before its first frame: its time stamps are read first."""
    pipe_behind(tmp_path / "a.mp4", "mkv")
    with pytest.raises(TimedOut):
        next(limited(SECONDS, read_frames(tmp_path / "a.mp4")))


def test_decoder_that_stalls_times_out(tmp_path: Path) -> None:
    pipe = pipe_behind(tmp_path / "a.mp4", "mkv")
    whole = encode(tmp_path / "whole.mkv", even_times(100, 25)).read_bytes()

    def feed() -> None:
        with pipe.open("wb") as file:
            file.write(whole[: len(whole) // 2])
            file.flush()
            stalled.wait(30)

    stalled = threading.Event()
    threading.Thread(target=feed, daemon=True).start()
    shown: list[int] = []
    with pytest.raises(TimedOut):
        shown.extend(number_of(frame) for frame in limited(SECONDS, decoded(tmp_path / "a.mp4")))
    stalled.set()
    assert 20 < len(shown) < 60
    assert shown == list(range(len(shown)))


@pytest.mark.parametrize("seconds", [0.0, 5.0])
@pytest.mark.parametrize("work", [0.0, 0.02])
def test_items_come_in_order_and_few_are_drawn_ahead(seconds: float, work: float) -> None:
    """Memory holds a few frames of a fast decoder, and one of a slow one."""
    made = []

    def numbers() -> Iterator[int]:
        for number in range(20):
            time.sleep(work)
            made.append(number)
            yield number

    seen = []
    for number in limited(seconds, numbers()):
        time.sleep(0.002)
        seen.append(number)
        assert len(made) - len(seen) < (8 if seconds and not work else 1)
    assert seen == made == list(range(20))


def test_slow_callers_and_slow_steady_work_do_not_time_out() -> None:
    def steady() -> Iterator[int]:
        for number in range(4):
            time.sleep(SECONDS / 2)
            yield number

    for _ in limited(SECONDS, range(2)):
        time.sleep(SECONDS * 1.5)
    assert list(limited(SECONDS, steady())) == [0, 1, 2, 3]


@pytest.mark.parametrize("seconds", [0.0, 5.0])
def test_errors_are_raised_in_the_caller(seconds: float) -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise ZeroDivisionError("of the work")

    items = limited(seconds, broken())
    assert next(items) == 1
    with pytest.raises(ZeroDivisionError, match="of the work"):
        next(items)
    with pytest.raises(ZeroDivisionError):
        within(seconds, divmod, 1, 0)
    assert within(seconds, max, 3, 7) == 7


def test_stopping_early_closes_everything(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp4", even_times(50, 25))
    before = set(threading.enumerate())
    frames = limited(5.0, read_frames(path))
    next(frames)
    frames.close()  # type: ignore[attr-defined]
    deadline = time.monotonic() + 5
    while set(threading.enumerate()) - before:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert str(path) not in {os.path.realpath(f"/proc/self/fd/{one}") for one in os.listdir("/proc/self/fd")}
