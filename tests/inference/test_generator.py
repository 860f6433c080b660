"""One picture that speaks as sound comes: the same frames in whatever chunks, by several threads, and how soon."""

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


@pytest.fixture(scope="module")
def generator(shipped: TalkingHead, face_file: Path) -> Generator:
    return Generator(shipped, face_file, Settings(blink=True, sway=True, seed=3))


@pytest.fixture(scope="module")
def whole(generator: Generator, sentence: Samples) -> NDArray[np.uint8]:
    """The frames of the sentence in one chunk."""
    return np.stack(list(generator.stream([sentence])))


@settings(max_examples=8, deadline=None)
@given(cuts=st.lists(st.integers(0, 48000), max_size=12))
def test_the_same_frames_whatever_the_chunks(
    generator: Generator, sentence: Samples, whole: NDArray[np.uint8], cuts: list[int]
) -> None:
    assert whole.shape == (75, 288, 360, 3)
    np.testing.assert_array_equal(np.stack(list(generator.stream(np.split(sentence, sorted(cuts))))), whole)


def test_frames_come_once_they_are_heard(generator: Generator, sentence: Samples) -> None:
    """The first after 0.78 s, and 16 more every 0.64 s: nothing is asked for that is not needed yet."""
    taken = 0

    def microphone() -> Iterator[Samples]:
        nonlocal taken
        for start in range(0, len(sentence), 160):
            taken = start + 160
            yield sentence[start : start + 160]

    after = []
    for number, _ in enumerate(generator.stream(microphone())):
        if number % 16 == 0:
            after.append(taken / 16000)
    np.testing.assert_allclose(after, [0.78, 1.42, 2.06, 2.7, 3.0], atol=0.011)


def test_several_threads_at_once(generator: Generator, sentence: Samples, whole: NDArray[np.uint8]) -> None:
    with ThreadPoolExecutor(3) as pool:
        streams = list(pool.map(lambda _: np.stack(list(generator.stream([sentence]))), range(3)))
    for frames in streams:
        np.testing.assert_array_equal(frames, whole)


def test_what_does_not_suit_a_video(shipped: TalkingHead, clip: Path) -> None:
    for wrong, message in (
        (Settings(sway=True), r"mpg moves by itself: leave out sway \(--head\) and blinking"),
        (Settings(blink=True), r"mpg moves by itself: leave out sway \(--head\) and blinking"),
        (Settings(face=1), r"mpg is a video, where faces have no numbers: give --face left, or another rule\."),
    ):
        with pytest.raises(PipelineError, match=message):
            Generator(shipped, clip, wrong)


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
def test_settings_that_do_not_go_together(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(PipelineError, match=message):
        Settings(**wrong)  # type: ignore[arg-type]
