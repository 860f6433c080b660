"""Speech keeps its loudness for any number of channels, and channels do not cancel each other."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.media import MediaError, read_audio, sound_warnings
from tests.media.encode import encode, even_times
from tests.media.sounds import HALF, LOUD, PAIRS, SPEECH, level, write_sound


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("codec", ["pcm_s16le", "pcm_u8", "pcm_s24le", "pcm_f32le"])
def test_two_channels(tmp_path: Path, pair: str, codec: str) -> None:
    path = write_sound(tmp_path / "a.wav", np.stack(PAIRS[pair]), codec=codec)
    for samples in (read_audio(path), read_audio(path, duration=1.0)):
        assert len(samples) == 16000
        assert level(samples) == pytest.approx(LOUD, abs=0.5)
    assert not sound_warnings(path)


def test_two_speakers_on_separate_channels_are_both_heard(tmp_path: Path) -> None:
    left, right = SPEECH.copy(), SPEECH.copy()
    left[HALF:] = right[:HALF] = 0
    samples = read_audio(write_sound(tmp_path / "a.wav", np.stack([left, right])))
    assert abs(level(samples[:8000]) - level(samples[8000:])) < 3


@pytest.mark.parametrize(
    ("layout", "channels"),
    [("2.1", 3), ("3.0", 3), ("quad", 4), ("5.0", 5), ("5.1", 6), ("7.1", 8), ("6 channels", 6), ("12 channels", 12)],
)
def test_speech_in_one_of_many_channels(tmp_path: Path, layout: str, channels: int) -> None:
    for channel in (2, channels - 1) if channels > 3 else (0, 2):
        values = np.zeros((channels, HALF), np.float32)
        values[channel] = SPEECH[:HALF]
        samples = read_audio(write_sound(tmp_path / "a.wav", values, layout))
        assert level(samples) == pytest.approx(level(values[channel] * 32768), abs=0.5)


@pytest.mark.parametrize(
    ("layout", "suffix", "codec"),
    [
        ("5.1", "m4a", "aac"),
        ("7.1", "m4a", "aac"),  # eight planes, for which PyAV gives no array
        ("5.1", "ac3", "ac3"),
        ("5.1", "flac", "flac"),
        ("5.1", "mka", "libopus"),
        ("7.1", "mka", "libopus"),
    ],
)
def test_speech_in_the_centre(tmp_path: Path, layout: str, suffix: str, codec: str) -> None:
    """Unchanged next to silent channels; 3 dB quieter next to others, as in each of a player's two loudspeakers."""
    values = np.zeros((int(layout[0]) + 1, len(SPEECH)), np.float32)
    values[2] = SPEECH
    path = tmp_path / f"a.{suffix}"
    assert level(read_audio(write_sound(path, values, layout, codec))) == pytest.approx(LOUD, abs=0.5)
    values += np.random.default_rng(1).normal(0, 0.03, values.shape).astype(np.float32)
    assert level(read_audio(write_sound(path, values, layout, codec))) == pytest.approx(LOUD - 2.5, abs=1.2)


def tracks(count: int) -> NDArray[np.float32]:
    return np.stack([SPEECH[None] * 0.5 ** (2 * number) for number in range(count)])


@pytest.mark.parametrize(("count", "default"), [(2, 0), (2, 1), (3, 1), (3, 2)])
@pytest.mark.parametrize(("suffix", "codec"), [("mka", "pcm_s16le"), ("m4a", "aac")])
def test_the_track_marked_default_is_heard(tmp_path: Path, suffix: str, codec: str, count: int, default: int) -> None:
    path = write_sound(tmp_path / f"a.{suffix}", tracks(count), "mono", codec, default)
    assert level(read_audio(path)) == pytest.approx(LOUD - 12 * default, abs=0.5)
    assert sound_warnings(path) == [f"{count} sound tracks, of which number {default + 1} is heard"]


def test_one_track_gives_no_warning(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp4", even_times(25, 25), audio=np.zeros(16000, np.int16), audio_codec="aac")
    assert sound_warnings(path) == []
    with pytest.raises(MediaError, match="no such file"):
        sound_warnings(tmp_path / "none.mp4")
