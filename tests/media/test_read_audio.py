"""Sound is read on the video's clock, wherever each stream starts."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]
from numpy.typing import NDArray

from pipeline.media import probe, read_audio, read_audio_blocks
from tests.media.encode import click, encode, even_times

_SECONDS = 1.6
_MILLISECOND = Fraction(1, 1000)


def click_time(samples: NDArray[np.int16]) -> float:
    """The time of the loudest sample in seconds."""
    return int(np.abs(samples.astype(int)).argmax()) / 16000


@pytest.mark.parametrize("delay", [0.0, 0.2, -0.2, 0.0137])
@pytest.mark.parametrize(
    ("suffix", "codec", "rate", "layout"),
    [
        ("mkv", "pcm_s16le", 16000, "mono"),
        ("mkv", "pcm_s16le", 8000, "mono"),
        ("mkv", "pcm_s16le", 48000, "stereo"),
        ("mov", "pcm_s16le", 44100, "stereo"),
        ("mp4", "aac", 16000, "mono"),
        ("mp4", "aac", 44100, "stereo"),
        ("ts", "aac", 48000, "stereo"),
        ("mpg", "mp2", 44100, "stereo"),
        ("webm", "libopus", 48000, "mono"),
    ],
)
def test_a_click_keeps_its_time(tmp_path: Path, delay: float, suffix: str, codec: str, rate: int, layout: str) -> None:
    picture = {"mpg": "mpeg1video", "webm": "libvpx"}.get(suffix, "libx264")
    path = encode(
        tmp_path / f"a.{suffix}",
        [time + 1 for time in even_times(round(_SECONDS * 25), 25)],
        codec=picture,
        time_base=Fraction(1, 25) if suffix == "mpg" else _MILLISECOND,
        audio=click(_SECONDS, 0.8, rate),
        audio_codec=codec,
        audio_rate=rate,
        audio_start=1 + delay,
        layout=layout,
    )
    # Matroska rounds time stamps to milliseconds.
    assert click_time(read_audio(path)) == pytest.approx(0.8 + delay, abs=0.0011)
    # The encoder's delay of 1024 samples may count as sound.
    assert probe(path).audio_offset == pytest.approx(delay, abs=0.065)


def test_delayed_sound_has_silence_before_it(tmp_path: Path) -> None:
    loud = np.full(32000, 8000, np.int16)
    path = encode(tmp_path / "a.mkv", even_times(50, 25), audio=loud, audio_start=0.2)
    samples = read_audio(path)
    assert len(samples) == 32000 + 3200
    assert not samples[:3190].any()
    assert (samples[3210:] > 7000).all()


def test_early_sound_is_cut_off(tmp_path: Path) -> None:
    ramp = np.arange(32000, dtype=np.int16)
    path = encode(
        tmp_path / "a.mkv",
        [time + 1 for time in even_times(25, 25)],
        audio=ramp,
        time_base=_MILLISECOND,
        audio_start=0.5,
    )
    samples = read_audio(path)
    assert len(samples) == 32000 - 8000
    np.testing.assert_array_equal(samples, ramp[8000:])


def test_gaps_are_silent_and_do_not_shift_later_sound(tmp_path: Path) -> None:
    audio = np.full(48000, 5000, np.int16)
    audio[40000] = 30000
    path = encode(tmp_path / "a.mkv", even_times(75, 25), audio=audio, audio_gap=(1.0, 1.5))
    samples = read_audio(path)
    assert len(samples) == 48000
    assert np.abs(samples[16100:23900]).max() == 0
    assert click_time(samples) == pytest.approx(2.5, abs=1e-3)


def test_sixteen_kilohertz_passes_unchanged(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(-20000, 20000, 40000).astype(np.int16)
    path = encode(tmp_path / "a.mkv", even_times(50, 25), audio=noise)
    np.testing.assert_array_equal(read_audio(path), noise)


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
def test_resampling_keeps_a_tone(tmp_path: Path, rate: int) -> None:
    path = tmp_path / "tone.wav"
    soundfile.write(path, 0.5 * np.sin(2 * np.pi * 440 * np.arange(rate * 2) / rate), rate)
    samples = read_audio(path)
    assert abs(len(samples) - 32000) <= 1
    expected = 0.5 * 32768 * np.sin(2 * np.pi * 440 * np.arange(len(samples)) / 16000)
    assert np.abs(samples - expected)[200:-200].max() < 40


def test_channels_are_averaged(tmp_path: Path) -> None:
    left, right = np.random.default_rng(0).uniform(-0.5, 0.5, (2, 16000))
    for name, channels in (("stereo.wav", [left, right]), ("same.wav", [left, left])):
        soundfile.write(tmp_path / name, np.stack(channels, axis=1), 16000)
        expected = np.mean(channels, axis=0) * 32768
        assert np.abs(read_audio(tmp_path / name) - expected).max() < 3


@pytest.mark.parametrize("name", ["a.flac", "six channels.wav", "ünïcode naïve.ogg", "with:colon.wav", "a%02d.wav"])
def test_sound_files(tmp_path: Path, name: str) -> None:
    values = np.random.default_rng(0).uniform(-0.5, 0.5, (24000, 6 if "six" in name else 1))
    soundfile.write(tmp_path / name, values, 16000)
    assert len(read_audio(tmp_path / name)) == 24000


@pytest.mark.parametrize(("suffix", "codec"), [("mov", "pcm_s16le"), ("mp4", "aac"), ("ts", "aac"), ("mpg", "mp2")])
def test_a_window_is_a_slice_of_the_whole(tmp_path: Path, suffix: str, codec: str) -> None:
    tone = (8000 * np.sin(np.cumsum(np.linspace(0.01, 0.3, 3 * 44100)))).astype(np.int16)
    picture = "mpeg1video" if suffix == "mpg" else "libx264"
    path = encode(
        tmp_path / f"a.{suffix}",
        even_times(75, 25),
        codec=picture,
        time_base=Fraction(1, 25),
        audio=tone,
        audio_codec=codec,
        audio_rate=44100,
    )
    whole = read_audio(path).astype(int)
    # MPEG rounds time stamps to 90 kHz, and resampling starts again: windows differ by less than a sample's time.
    steepest = np.abs(np.diff(whole)).max()
    for start, duration in ((0.0, 1.0), (0.4, 1.0), (1.28, 0.5), (2.2, 0.6)):
        piece = read_audio(path, start=start, duration=duration)
        assert len(piece) == round(duration * 16000)
        first = round(start * 16000)
        expected = whole[first : first + len(piece)]
        assert np.abs(piece[: len(expected)] - expected).max() <= steepest


def test_the_length_is_the_requested_duration(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mkv", even_times(50, 25), audio=np.full(20000, 99, np.int16))
    assert len(read_audio(path)) == 20000
    padded = read_audio(path, duration=2.0)
    assert len(padded) == 32000
    assert not padded[20000:].any()
    assert len(read_audio(path, start=1.0)) == 4000
    assert len(read_audio(path, start=5.0, duration=0.5)) == 8000
    assert sum(map(len, read_audio_blocks(path, duration=2.0))) == 20000
    assert sum(map(len, read_audio_blocks(path, start=0.75, duration=0.25))) == 4000


def test_a_stream_that_changes_its_format(tmp_path: Path) -> None:
    for name, rate, layout in (("a.aac", 44100, "stereo"), ("b.aac", 16000, "mono")):
        encode(
            tmp_path / name, [], audio=np.full(rate, 5000, np.int16), audio_codec="aac", audio_rate=rate, layout=layout
        )
    joined = tmp_path / "joined.aac"
    joined.write_bytes((tmp_path / "a.aac").read_bytes() + (tmp_path / "b.aac").read_bytes())
    with av.open(str(joined)) as container:
        assert len({frame.sample_rate for frame in container.decode(audio=0)}) == 2
    assert len(read_audio(joined)) / 16000 > 1.0


def test_real_clips(corpora: Path) -> None:
    samples = read_audio(corpora / "grid/s1/bbaf3s.mpg")
    assert len(samples) == pytest.approx(114 * 1152 / 44100 * 16000, abs=1)  # 114 MP2 frames
    assert np.abs(samples.astype(int)).max() > 1000
    assert len(read_audio(corpora / "lrw_like/lipread_mp4/ABOUT/train/ABOUT_00001.mp4")) == 18 * 1024
