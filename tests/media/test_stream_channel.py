"""A stream with several channels sounds like the same file, and loses no speech when the channels change."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]
from numpy.typing import NDArray

from pipeline.media import read_audio
from pipeline.media.pipe import read_pipe
from tests.media.sounds import PAIRS, RATE, SILENCE, SPEECH, level, speech

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


def alike(first_N: NDArray[np.int16], second_N: NDArray[np.int16]) -> bool:
    """Equal up to rounding and the sign: opposite channels sound the same."""
    first, second = first_N.astype(int), second_N.astype(int)
    return len(first) == len(second) and min(np.abs(first - sign * second).max() for sign in (1, -1)) <= 2


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize(("subtype", "kind"), [("PCM_16", "WAV"), ("PCM_U8", "WAV"), ("FLOAT", "WAVEX")])
def test_two_channels_keep_the_loudness_of_the_speech(pair: str, subtype: str, kind: str) -> None:
    samples = piped(wav(np.stack(PAIRS[pair]), subtype, kind))
    assert len(samples) == 16000
    for quarter, expected in zip(np.split(samples, 4), np.split(SPEECH, 4), strict=True):
        assert level(quarter) == pytest.approx(level(expected * 32768), abs=0.6)


STEADY = ["the same", "left alone", "right alone", "right beside noise", "opposite", "opposite, half as loud"]
KINDS = [("PCM_16", "WAV"), ("PCM_24", "WAV"), ("PCM_32", "WAVEX"), ("FLOAT", "WAV"), ("PCM_16", "RF64")]


@pytest.mark.parametrize("pair", STEADY)
@pytest.mark.parametrize(("subtype", "kind"), KINDS)
def test_channels_that_do_not_change_equal_the_file(tmp_path: Path, pair: str, subtype: str, kind: str) -> None:
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
        values = np.zeros((channels, len(SPEECH) // 4), np.float32)
        values[channel] = SPEECH[: len(SPEECH) // 4]
        content = wav(values, kind=kind)
        samples = piped(content)
        assert level(samples) == pytest.approx(level(values[channel] * 32768), abs=0.5)
        assert alike(samples, filed(tmp_path, content))


def test_a_phase_change_loses_less_than_a_video_frame() -> None:
    second = speech(2.0)
    turned = np.where(np.arange(len(second)) < len(second) // 2 + 1234, second, -second)
    samples = piped(wav(np.stack([second, turned])))
    expected = second.reshape(-1, 3).mean(axis=1) * 32768
    for start in range(0, 32000, 640):
        assert level(samples[start : start + 640]) > level(expected[start : start + 640]) - 3, start / 640


def test_two_speakers_on_separate_channels_are_both_heard() -> None:
    """The second speaker is heard from the first word on, after the first spoke alone for seconds."""
    first, second = speech(4.0), speech(4.0, seed=1)
    first[-RATE:] = second[:-RATE] = 0
    samples = piped(wav(np.stack([first, second])))[-16000:]
    expected = second[-RATE:] * 32768
    for start in range(0, 16000, 1600):
        assert level(samples[start : start + 1600]) > level(expected[3 * start : 3 * start + 4800]) - 7.5


def test_silence_before_the_speech_has_no_influence(tmp_path: Path) -> None:
    hiss = np.random.default_rng(0).normal(0, 1e-4, (2, RATE)).astype(np.float32)
    hiss[1] = -hiss[0]  # like a hum on a cable
    content = wav(np.concatenate([hiss, np.stack([SILENCE, SPEECH])], axis=1))
    assert level(piped(content)[16000:]) == pytest.approx(LOUD, abs=0.5)


def test_one_channel_passes_unchanged() -> None:
    samples = (SPEECH[::3] * 32767).astype(np.int16)
    np.testing.assert_array_equal(piped(wav(samples[None] / 32768, rate=16000)), samples)
