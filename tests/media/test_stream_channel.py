"""A stream of several channels is as loud as the same file, from its beginning, and loses nothing where they change."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]
from numpy.typing import NDArray

from pipeline.media import read_audio
from pipeline.media.pipe import read_pipe
from tests.media.sounds import RATE, level, speech
from tests.media.test_channels import PAIRS, SILENCE, SPEECH

LOUD = level(SPEECH * 32768)


def wav(channels_CN: NDArray[np.floating], subtype: str = "PCM_16", kind: str = "WAV", rate: int = RATE) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, channels_CN.T, rate, subtype=subtype, format=kind)
    return file.getvalue()


def piped(content: bytes) -> NDArray[np.int16]:
    return np.concatenate(list(read_pipe(io.BytesIO(content))))  # type: ignore[arg-type]


def filed(folder: Path, content: bytes) -> NDArray[np.int16]:
    (folder / "a.wav").write_bytes(content)
    return read_audio(folder / "a.wav")


def alike(one_N: NDArray[np.int16], other_N: NDArray[np.int16]) -> bool:
    """But for rounding, and for the sign: which of two opposite channels is heard, nobody hears."""
    whole = [samples.astype(int) for samples in (one_N, other_N)]
    return len(one_N) == len(other_N) and min(np.abs(whole[0] - sign * whole[1]).max() for sign in (1, -1)) <= 2


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize(("subtype", "kind"), [("PCM_16", "WAV"), ("PCM_U8", "WAV"), ("FLOAT", "WAVEX")])
def test_two_channels_are_as_loud_as_where_they_were_recorded(pair: str, subtype: str, kind: str) -> None:
    samples = piped(wav(np.stack(PAIRS[pair]), subtype, kind))
    assert len(samples) == 16000
    for second in range(4):  # quarters of one
        quarter, expected = (one[second * len(one) // 4 : (second + 1) * len(one) // 4] for one in (samples, SPEECH))
        assert level(quarter) == pytest.approx(level(expected * 32768), abs=0.6)


STEADY = ["the same", "left alone", "right alone", "right beside noise", "opposite", "opposite, half as loud"]
KINDS = [("PCM_16", "WAV"), ("PCM_24", "WAV"), ("PCM_32", "WAVEX"), ("FLOAT", "WAV"), ("PCM_16", "RF64")]


@pytest.mark.parametrize("pair", STEADY)
@pytest.mark.parametrize(("subtype", "kind"), KINDS)
def test_channels_that_stay_as_they_begin_give_what_the_file_gives(
    tmp_path: Path, pair: str, subtype: str, kind: str
) -> None:
    content = wav(np.stack(PAIRS[pair]), subtype, kind)
    assert alike(piped(content), filed(tmp_path, content))


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 96000])
@pytest.mark.parametrize("pair", ["opposite", "left alone"])
def test_any_rate(tmp_path: Path, rate: int, pair: str) -> None:
    content = wav(np.stack(PAIRS[pair])[:, :rate], rate=rate)
    assert alike(piped(content), filed(tmp_path, content))


@pytest.mark.parametrize("channels", [3, 6, 8])
@pytest.mark.parametrize("kind", ["WAV", "WAVEX"])
def test_speech_in_one_of_many_channels(tmp_path: Path, channels: int, kind: str) -> None:
    for channel in (2, channels - 1):
        values = np.zeros((channels, len(SPEECH) // 2), np.float32)
        values[channel] = SPEECH[: len(SPEECH) // 2]
        content = wav(values, kind=kind)
        samples = piped(content)
        assert level(samples) == pytest.approx(level(values[channel] * 32768), abs=0.5)
        assert alike(samples, filed(tmp_path, content))


def test_a_phase_that_turns_in_the_middle_loses_less_than_a_frame_of_video() -> None:
    second = speech(2.0)
    turned = np.where(np.arange(len(second)) < len(second) // 2 + 1234, second, -second)
    samples = piped(wav(np.stack([second, turned])))
    expected = second.reshape(-1, 3).mean(axis=1) * 32768
    for start in range(0, 32000, 640):
        heard, said = (one[start : start + 640] for one in (samples, expected))
        assert level(heard) > level(said) - 3, start / 640


def test_two_people_with_a_channel_each_are_both_heard() -> None:
    """The second one from the first word on, however long the first one spoke alone."""
    one, other = speech(4.0), speech(4.0, seed=1)
    one[-RATE:] = other[:-RATE] = 0
    samples = piped(wav(np.stack([one, other])))
    quiet, said = samples[-16000:], other[-RATE:] * 32768
    for start in range(0, 16000, 1600):
        assert level(quiet[start : start + 1600]) > level(said[3 * start : 3 * start + 4800]) - 7.5


def test_silence_before_the_speech_decides_nothing(tmp_path: Path) -> None:
    hiss = np.random.default_rng(0).normal(0, 1e-4, (2, RATE)).astype(np.float32)
    hiss[1] = -hiss[0]  # as a hum on a cable may be
    spoken = np.stack([SILENCE, SPEECH])
    content = wav(np.concatenate([hiss, spoken], axis=1))
    assert level(piped(content)[16000:]) == pytest.approx(LOUD, abs=0.5)


def test_one_channel_is_heard_as_it_is() -> None:
    samples = (SPEECH[::3] * 32767).astype(np.int16)
    np.testing.assert_array_equal(piped(wav(samples[None] / 32768, rate=16000)), samples)
