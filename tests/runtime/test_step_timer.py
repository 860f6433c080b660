"""Nested steps: each gets its own seconds."""

import time
from collections.abc import Iterator

import pytest

from pipeline.runtime.step_timer import StepTimer


def numbers(seconds: float, below: Iterator[int] | None = None) -> Iterator[int]:
    for number in below or range(3):
        time.sleep(seconds)
        yield number


def test_time_of_nested_steps_is_not_counted_twice() -> None:
    steps = StepTimer()
    lower = steps.each("lower", numbers(0.02))
    got = []
    for number in steps.each("upper", numbers(0.01, lower)):
        with steps.timed("last"):
            time.sleep(0.005)
        got.append(number)
    assert got == [0, 1, 2]
    assert list(steps.seconds) == ["lower", "upper", "last"]
    assert steps.seconds["lower"] == pytest.approx(0.06, abs=0.03)
    assert steps.seconds["upper"] == pytest.approx(0.03, abs=0.025)
    assert steps.seconds["lower"] > steps.seconds["upper"] > steps.seconds["last"]


def test_errors_pass_through() -> None:
    steps = StepTimer()
    with pytest.raises(ZeroDivisionError):
        list(steps.each("bad", (1 // number for number in (1, 0))))
    assert steps.seconds["bad"] >= 0
