"""Speech with other rates than 16 kHz, compared with librosa."""

import wave
from pathlib import Path

import librosa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.media import Damage, read_audio
from pipeline.preprocessing.published.recipe import PublishedPreprocessing
from pipeline.preprocessing.published.sound import read_clip_speech, read_speech, resampled
from pipeline.speech.sound import Sound


def sound(rate: int, seconds: float = 2.0) -> NDArray[np.int16]:
    """Return a buzz with moving formants, and hiss above 8 kHz that must not alias."""
    time = np.arange(round(seconds * rate)) / rate
    buzz = sum(np.sin(2 * np.pi * 120 * k * time + k) / k * (1 + np.sin(9 * time + k)) for k in range(1, 30))
    hiss = np.random.default_rng(0).standard_normal(len(time))
    return np.asarray(np.rint(3000 * buzz + 300 * hiss), np.int16)


def written(path: Path, samples: NDArray[np.int16], rate: int) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())
    return path


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
def test_windows_are_those_of_librosas_samples(
    rate: int, preprocessing: PublishedPreprocessing, tmp_path: Path
) -> None:
    samples = sound(rate)
    path = written(tmp_path / "a.wav", samples, rate)
    ours = np.concatenate(list(read_speech(path, Damage())))
    theirs = librosa.resample(samples / np.float32(32768), orig_sr=rate, target_sr=16000)
    assert abs(len(ours) - len(theirs)) <= 1
    length = min(len(ours), len(theirs))
    np.testing.assert_allclose(ours[:length] / 32768, theirs[:length], atol=1.1 / 32768)
    heard, expected = (
        np.concatenate(list(preprocessing.windows(Sound([samples_N]), 50)))
        for samples_N in (ours, np.rint(theirs * 32768).astype(np.int16))
    )
    assert np.abs(heard - expected).mean() < 0.005 * expected.std()
    decoders = np.concatenate(list(preprocessing.windows(Sound([read_audio(path)]), 50)))
    assert np.abs(decoders - expected).mean() > 2 * np.abs(heard - expected).mean()  # or this file would not be needed


@given(cuts=st.lists(st.integers(0, 22050), max_size=8))
def test_the_blocks_do_not_matter(cuts: list[int]) -> None:
    samples = sound(22050, 1.0)
    blocks = np.split(samples, sorted(cuts))
    whole, cut = (np.concatenate(list(resampled(pieces, 22050))) for pieces in ([samples], blocks))
    np.testing.assert_array_equal(whole, cut)


def test_16_khz_is_not_resampled() -> None:
    samples = sound(16000, 0.5)
    np.testing.assert_array_equal(np.concatenate(list(resampled([samples], 16000))), samples)


def test_a_clip_has_the_length_of_its_frames(tmp_path: Path) -> None:
    samples = sound(44100)
    path = written(tmp_path / "a.wav", samples, 44100)
    whole = np.concatenate(list(read_speech(path, Damage())))
    part = read_clip_speech(path, 0.4, 1.0)
    assert part.shape == (16000,)
    np.testing.assert_allclose(part[200:-200], whole[6400:22400][200:-200], atol=2)
    assert read_clip_speech(path, 0.0, 3.0).shape == (48000,)
