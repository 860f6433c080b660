"""Joined or paused recordings are read on one clock, with all pictures and all sound."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.media import Damage, probe, read_audio, read_frames
from tests.media.encode import click, encode, even_times, number_of
from tests.media.pictures import count_frames

_MILLISECOND = Fraction(1, 1000)
KINDS: dict[str, dict[str, Any]] = {
    "ts": {"audio_codec": "mp2"},
    "m2ts": {"audio_codec": "aac"},
    "mpg": {"codec": "mpeg1video", "time_base": Fraction(1, 25), "audio_codec": "mp2"},
    "webm": {"codec": "libvpx", "time_base": _MILLISECOND, "audio_codec": "libopus", "audio_rate": 48000},
    "mkv": {"time_base": _MILLISECOND, "audio_codec": "aac"},
}


def take(path: Path, frames: int, start: float = 0, **how: Any) -> bytes:
    """The bytes of a recording with a click in its middle. Its clock begins at ``start``."""
    rate: int = how.get("audio_rate", 44100)
    sound: dict[str, Any] = {"audio": click(frames / 25, frames / 50, rate), "audio_rate": rate, "audio_start": start}
    times = [Fraction(start) + time for time in even_times(frames, 25)]
    return encode(path, times, **{**sound, **how}).read_bytes()


def clicks(samples_N: NDArray[np.int16]) -> list[float]:
    """The times of the clicks in seconds."""
    loud = np.flatnonzero(np.abs(samples_N.astype(int)) > 6000) / 16000
    return [float(time) for time in loud[np.insert(np.diff(loud) > 0.1, 0, True)]]


def shown(path: Path, **window: Any) -> list[int]:
    return [number_of(frame) for frame in read_frames(path, **window)]


@pytest.mark.parametrize("suffix", KINDS)
def test_two_joined_recordings(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"joined.{suffix}"
    path.write_bytes(b"".join(take(tmp_path / f"a.{suffix}", count, **KINDS[suffix]) for count in (75, 100)))
    damage = Damage()
    numbers = [number_of(frame) for frame in read_frames(path, damage=damage)]
    gap = len(numbers) - 175  # the sound of the first may last longer than its picture
    assert gap <= 2
    assert numbers == [*range(75), *[74] * gap, *range(100)]
    samples = read_audio(path, damage=damage)
    assert len(samples) / 16000 == pytest.approx(7, abs=0.1)
    assert clicks(samples) == pytest.approx([1.5, 5 + gap / 25], abs=0.03)  # in sync with the picture
    assert not str(damage)
    info = probe(path)
    assert info.duration == pytest.approx(7, abs=0.1)
    assert [join.time for join in info.joins] == pytest.approx([3], abs=0.06)
    assert not info.joins[0].ahead
    assert shown(path, start=4.0 + gap / 25, duration=0.4) == list(range(25, 35))
    assert clicks(read_audio(path, start=4.0, duration=2.0)) == pytest.approx([1 + gap / 25], abs=0.03)


def test_many_recordings_whose_clocks_begin_anywhere(tmp_path: Path) -> None:
    path = tmp_path / "joined.ts"
    starts = (0, 50, 7, 7, 0.5)
    path.write_bytes(b"".join(take(tmp_path / "a.ts", 20, start, audio_codec="mp2") for start in starts))
    numbers = shown(path)
    changes = [number for number, before in zip(numbers, [-1, *numbers], strict=False) if number != before]
    assert changes == list(range(20)) * 5
    assert len(numbers) <= 102  # sound that lasts longer than the picture leaves a gap
    assert clicks(read_audio(path)) == pytest.approx([0.4 + 0.8 * number for number in range(5)], abs=0.05)
    assert [join.ahead for join in probe(path).joins] == [True, False, False, False]


@pytest.mark.parametrize(("suffix", "codec", "rate"), [("ogg", "libopus", 48000), ("mp2", "mp2", 44100)])
def test_joined_sound(tmp_path: Path, suffix: str, codec: str, rate: int) -> None:
    takes = [
        encode(
            tmp_path / f"a.{suffix}", [], audio=click(seconds, 1.5, rate), audio_codec=codec, audio_rate=rate
        ).read_bytes()
        for seconds in (3, 4)
    ]
    path = tmp_path / f"joined.{suffix}"
    path.write_bytes(b"".join(takes))
    samples = read_audio(path)
    assert clicks(samples) == pytest.approx([1.5, 4.5], abs=0.05)
    assert len(samples) / 16000 == pytest.approx(7, abs=0.1)


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "mov"])
@pytest.mark.parametrize("jump", [12, 100, 5000])
def test_jumping_pictures_stay_in_sync(tmp_path: Path, suffix: str, jump: int) -> None:
    times = [time + jump * (number >= 38) for number, time in enumerate(even_times(75, 25))]
    path = encode(tmp_path / f"a.{suffix}", times, time_base=_MILLISECOND, audio=click(3, 2, 16000), audio_codec="aac")
    numbers = shown(path)
    assert numbers[:75] == list(range(75))
    assert set(numbers[75:]) <= {74}  # as long as the container says
    assert len(numbers) <= 100
    assert clicks(read_audio(path)) == pytest.approx([2], abs=0.03)
    assert [join.ahead for join in probe(path).joins] == [True]


def test_a_pause_of_picture_and_sound(tmp_path: Path) -> None:
    """The recorder was stopped for two minutes."""
    path = tmp_path / "a.ts"
    path.write_bytes(b"".join(take(tmp_path / "b.ts", 50, start, audio_codec="mp2") for start in (0, 122)))
    assert shown(path) == [*range(50), *range(50)]
    assert clicks(read_audio(path)) == pytest.approx([1, 3], abs=0.03)


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "ts"])
def test_a_still_picture_lasts_as_long_as_its_sound(tmp_path: Path, suffix: str) -> None:
    times = [time + 100 * (number >= 10) for number, time in enumerate(even_times(20, 25))]
    sound: dict[str, Any] = {"audio": click(100.8, 100.6, 16000), "audio_codec": "aac"}
    path = encode(tmp_path / f"a.{suffix}", times, size=(32, 32), time_base=_MILLISECOND, **sound)
    assert probe(path).joins == ()
    damage = Damage()
    assert count_frames(path, damage=damage) == pytest.approx(2520, abs=26)
    assert not str(damage)
    assert clicks(read_audio(path)) == pytest.approx([100.6], abs=0.03)


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "ts"])
@pytest.mark.parametrize("late", [30, 5000])
def test_one_damaged_time_does_not_prolong_the_video(tmp_path: Path, suffix: str, late: int) -> None:
    times = [*even_times(50, 25), Fraction(late)]
    damage = Damage()
    assert count_frames(encode(tmp_path / f"a.{suffix}", times, time_base=_MILLISECOND), damage=damage) <= 75
    assert damage.lost == 1
