"""WAV from a pipe: all kinds of PCM, with or without a known length, without delay. MP4 to a pipe."""

import io
import os
import struct
import threading
import time
from itertools import product
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]
from numpy.typing import NDArray

from pipeline.media import MediaError, VideoWriter, read_audio, read_frames
from pipeline.media.pipe import read_pipe
from tests.media.encode import number_of, numbered_picture


class Pipe(io.RawIOBase):
    """Returns a few bytes at a time, as pipes do."""

    def __init__(self, content: bytes, most: int = 700) -> None:
        self._content, self._most = io.BytesIO(content), most

    def read(self, count: int = -1) -> bytes:
        return self._content.read(min(count, self._most))


def tone(seconds: float, rate: int) -> NDArray[np.float64]:
    return 0.4 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)


def wav(samples: NDArray[np.float64], rate: int, subtype: str, kind: str = "WAV") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, subtype=subtype, format=kind)
    return file.getvalue()


SUBTYPES = ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE")


@pytest.mark.parametrize(
    ("kind", "subtype"),
    [*product(("WAV", "WAVEX"), SUBTYPES), ("WAV", "ULAW"), ("WAV", "ALAW")],
)
@pytest.mark.parametrize(("rate", "channels"), [(16000, 1), (44100, 2), (8000, 6)])
def test_every_kind_of_pcm(kind: str, subtype: str, rate: int, channels: int) -> None:
    samples = np.repeat(tone(1.0, rate)[:, None], channels, axis=1)
    samples_N = np.concatenate(list(read_pipe(Pipe(wav(samples, rate, subtype, kind)))))
    assert len(samples_N) == pytest.approx(16000, abs=40)
    expected = tone(1.0, 16000)[500:15000]
    assert np.corrcoef(samples_N[500:15000], expected)[0, 1] > 0.99
    if channels < 3:
        assert samples_N[500:15000].std() / 32768 == pytest.approx(expected.std(), rel=0.06)


def test_the_length_of_rf64_is_used() -> None:
    """RF64 has its lengths in a chunk of its own (EBU Tech 3306). Other chunks may follow the sound."""
    content = wav(tone(1.0, 16000), 16000, "PCM_16")
    at = content.index(b"data")
    lengths = struct.pack("<QQQI", len(content) + 5028, 32000, 16000, 0)
    header = b"RF64" + struct.pack("<I", 0xFFFFFFFF) + b"WAVEds64" + struct.pack("<I", len(lengths)) + lengths
    sound = b"data" + struct.pack("<I", 0xFFFFFFFF) + content[at + 8 :]
    whole = header + content[12:at] + sound + b"LIST" + struct.pack("<I", 5000) + bytes(range(250)) * 20
    assert sum(map(len, read_pipe(Pipe(whole)))) == 16000


@pytest.mark.parametrize("length", [0, 0xFFFFFFFF, 0x7FFFFF00])
def test_an_unknown_length(length: int) -> None:
    content = wav(tone(1.0, 16000), 16000, "PCM_16")
    content = content[:4] + struct.pack("<I", length) + content[8:40] + struct.pack("<I", length) + content[44:]
    samples_N = np.concatenate(list(read_pipe(Pipe(content))))
    np.testing.assert_array_equal(samples_N, np.frombuffer(content[44:], np.int16))


def test_sound_comes_without_delay() -> None:
    """At most a tenth of a second after it was written."""
    content = wav(tone(2.0, 16000), 16000, "PCM_16")
    out, into = os.pipe()
    written = 0

    def speak() -> None:
        nonlocal written
        os.write(into, content[:44])
        for start in range(44, len(content), 640):
            written += os.write(into, content[start : start + 640])
            time.sleep(0.01)
        os.close(into)

    thread = threading.Thread(target=speak)
    thread.start()
    received, delays = 0, []
    with os.fdopen(out, "rb", buffering=0) as pipe:
        for block in read_pipe(pipe):
            received += len(block)
            delays.append(written / 2 - received)
    thread.join()
    assert received == 32000
    assert np.median(delays) < 1600


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"^standard input: empty\. Give a sound file, or pipe a WAV, such as `ffmpeg -i FILE -f wav -` writes"),
        (b"ID3" + bytes(100), r"standard input: not a WAV\."),
        (wav(tone(0.1, 16000), 16000, "PCM_16")[:30], r"a WAV that breaks off before its sound\."),
        (wav(tone(1.0, 16000), 16000, "IMA_ADPCM"), r"a WAV of another kind than PCM \(tag 17, 4 bits\)\."),
        (b"RIFF0000WAVEfmt \x10\0\0\0\1\0\0\0\x80>\0\0\0\0\0\0\0\0\x10\0data0000", r"a WAV without a rate or channels"),
    ],
)
def test_input_that_is_not_a_wav(content: bytes, message: str) -> None:
    with pytest.raises(MediaError, match=message):
        list(read_pipe(Pipe(content)))


def test_an_mp4_is_piped_while_it_is_written(tmp_path: Path) -> None:
    """The first pictures come out before the last are written, and the file can be read."""
    out, into = os.pipe()
    got = bytearray()

    def read() -> None:
        while more := os.read(out, 65536):
            got.extend(more)

    thread = threading.Thread(target=read)
    thread.start()
    sound = (tone(2.0, 16000) * 32767).astype(np.int16)
    sizes = []
    with os.fdopen(into, "wb") as pipe, VideoWriter(pipe, size=(64, 48), live_sound=True, comment="hello") as video:
        for number in range(50):
            video.write_sound(sound[number * 640 : (number + 1) * 640])
            video.write(numbered_picture(number))
            time.sleep(0.004)
            sizes.append(len(got))
    thread.join()
    assert 0 < sizes[20] < sizes[40] < len(got)
    (tmp_path / "a.mp4").write_bytes(got)
    assert [number_of(frame) for frame in read_frames(tmp_path / "a.mp4")] == list(range(50))
    samples_N = read_audio(tmp_path / "a.mp4")
    assert len(samples_N) == pytest.approx(32000, abs=32)
    assert np.corrcoef(samples_N[:31000], sound[:31000])[0, 1] > 0.99


@pytest.mark.parametrize("buffering", [0, -1])
def test_a_non_blocking_pipe_loses_nothing(tmp_path: Path, buffering: int) -> None:
    """The reader starts after the pipe is full."""
    out, into = os.pipe()
    os.set_blocking(into, False)
    noise = np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8)

    def write() -> None:
        with os.fdopen(into, "wb", buffering=buffering) as pipe, VideoWriter(pipe, size=(640, 480), crf=0) as video:
            for number in range(5):
                video.write(np.roll(noise, 7 * number, axis=1))

    thread = threading.Thread(target=write)
    thread.start()
    time.sleep(0.3)
    with os.fdopen(out, "rb") as reader:
        (tmp_path / "a.mp4").write_bytes(reader.read())
    thread.join()
    assert (tmp_path / "a.mp4").stat().st_size > 200_000  # a pipe holds 65,536
    assert len(list(read_frames(tmp_path / "a.mp4"))) == 5


def test_a_reader_that_closes_the_pipe() -> None:
    out, into = os.pipe()
    os.close(out)
    message = r"the output was closed \(Broken pipe\)\. Read the stream to its end\."
    with os.fdopen(into, "wb", buffering=0) as pipe, pytest.raises(MediaError, match=message):
        write_numbers(pipe)


def write_numbers(pipe: BinaryIO) -> None:
    with VideoWriter(pipe, size=(64, 48)) as video:
        for number in range(50):
            video.write(numbered_picture(number))


def test_chunks_after_the_sound_are_ignored() -> None:
    content = wav(tone(1.0, 16000), 16000, "PCM_16")
    after = b"LIST" + struct.pack("<I", 40000) + bytes(range(250)) * 160
    np.testing.assert_array_equal(
        np.concatenate(list(read_pipe(Pipe(content + after)))), np.frombuffer(content[44:], np.int16)
    )


class Interrupted(io.RawIOBase):
    """A pipe that is interrupted by a signal."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)

    def read(self, count: int = -1) -> bytes:
        if self._content.tell() > 20000:
            raise KeyboardInterrupt
        return self._content.read(min(count, 700))

    def write(self, data: object) -> int:
        raise KeyboardInterrupt


def test_a_signal_ends_reading(capfd: pytest.CaptureFixture[str]) -> None:
    blocks = read_pipe(Interrupted(wav(tone(2.0, 16000), 16000, "PCM_16")))
    lengths = [len(next(blocks)) for _ in range(5)]
    with pytest.raises(KeyboardInterrupt):
        lengths.extend(map(len, blocks))
    assert 8000 < sum(lengths) < 12000
    assert capfd.readouterr().err == ""


def test_a_signal_ends_writing(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyboardInterrupt):
        write_numbers(Interrupted(b""))  # type: ignore[arg-type]
    assert capfd.readouterr().err == ""
