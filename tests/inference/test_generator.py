"""Generators: frames do not depend on chunks or threads, and come early."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.inference.generator import Generator
from pipeline.inference.settings import Settings
from pipeline.inference.talking_head import TalkingHead
from pipeline.runtime.errors import PipelineError

Samples = NDArray[np.int16]
SECONDS = 1.5


@pytest.fixture(scope="module")
def generator(shipped: TalkingHead, face_file: Path) -> Generator:
    return Generator(shipped, face_file, Settings(blink=True, sway=True, seed=3))


@pytest.fixture(scope="module")
def spoken(sentence: Samples) -> Samples:
    """The first part of the sentence."""
    return sentence[: round(SECONDS * 16000)]


@pytest.fixture(scope="module")
def whole(generator: Generator, spoken: Samples) -> NDArray[np.uint8]:
    """The frames for one block of speech."""
    return np.stack(list(generator.stream([spoken])))


@pytest.mark.slow
@settings(max_examples=5)
@given(cuts=st.lists(st.integers(0, round(SECONDS * 16000)), max_size=12))
def test_frames_do_not_depend_on_the_blocks(
    generator: Generator, spoken: Samples, whole: NDArray[np.uint8], cuts: list[int]
) -> None:
    assert whole.shape == (38, 288, 360, 3)
    np.testing.assert_array_equal(np.stack(list(generator.stream(np.split(spoken, sorted(cuts))))), whole)


@pytest.mark.slow
def test_frames_come_as_early_as_possible(generator: Generator, sentence: Samples) -> None:
    """The first after 0.94 s, and 16 more every 0.64 s."""
    read = 0

    def microphone() -> Iterator[Samples]:
        nonlocal read
        for start in range(0, len(sentence), 160):
            read = start + 160
            yield sentence[start : start + 160]

    after = []
    for number, _ in enumerate(generator.stream(microphone())):
        if number % 16 == 0:
            after.append(read / 16000)
    np.testing.assert_allclose(after, [0.94, 1.58, 2.22, 2.86, 3.0], atol=0.011)


@pytest.mark.slow
def test_threads_may_share_a_generator(generator: Generator, spoken: Samples, whole: NDArray[np.uint8]) -> None:
    with ThreadPoolExecutor(3) as pool:
        streams = list(pool.map(lambda _: np.stack(list(generator.stream([spoken]))), range(3)))
    for frames in streams:
        np.testing.assert_array_equal(frames, whole)


def test_settings_that_a_video_excludes(shipped: TalkingHead, clip: Path) -> None:
    for unfit, message in (
        (Settings(sway=True), r"mpg is a video, whose face moves by itself. Leave out sway \(--head\) and blinking"),
        (Settings(blink=True), r"mpg is a video, whose face moves by itself. Leave out sway \(--head\) and blinking"),
        (Settings(face=1), r"mpg is a video, where faces have no numbers. Give --face left, or another rule\."),
    ):
        with pytest.raises(PipelineError, match=message):
            Generator(shipped, clip, unfit)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"strength": 3.5}, r"strength is 3\.5\. Give one from 0 "),
        ({"seed": -1}, r"seed is -1\. Give one from 0 on\."),
        (
            {"crop": True, "panels": True},
            r"Panels show the face alone anyway: leave out one of both",
        ),
        ({"crop": True, "sway": True}, r"The face alone does not sway: leave out sway \(--head\), or"),
        (
            {"panels": True, "sway": True},
            r"The face alone does not sway: leave out sway \(--head\), or",
        ),
    ],
)
def test_settings_that_exclude_each_other(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(PipelineError, match=message):
        Settings(**wrong)  # type: ignore[arg-type]
