"""Errors of media libraries become a MediaError with a reason; errors of the project's own code pass through."""

import random
from collections.abc import Callable
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from pipeline.media import MediaError, probe, read_audio, read_frames
from pipeline.media.errors import library_errors
from pipeline.media.picture import is_picture, read_picture
from pipeline.media.probe import check_self_contained
from pipeline.runtime.errors import PipelineError
from tests.media.encode import encode, even_times
from tests.media.pictures import count_frames
from tests.media.sounds import speech, write_sound


def test_only_errors_of_libraries_become_reasons() -> None:
    with pytest.raises(MediaError, match=r"a\.mp4: it cannot be decoded \(.*unknown.*\)"), library_errors("a.mp4"):
        av.VideoFrame(8, 8, "unknown format")
    with pytest.raises(MediaError, match=r"a\.jpg: it cannot be decoded \(ValueError: "), library_errors("a.jpg"):
        Image.frombytes("RGB", (8, 8), b"")
    faults: tuple[Callable[[], object], ...] = (lambda: [0][1], lambda: np.stack([]), lambda: int("x"))
    for fault in faults:
        with pytest.raises((IndexError, ValueError)), library_errors("a.mp4"):
            fault()


def exif_video(path: Path, codec: str, orientation: int) -> Path:
    """A video whose pictures are complete image files with EXIF."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = 64, 48
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "rgb24"
        for number in range(3):
            file = BytesIO()
            Image.new("RGB", (64, 48), (200, 40, 40)).save(file, "JPEG" if codec == "mjpeg" else "PNG", exif=exif)
            packet = av.Packet(file.getvalue())
            packet.pts = packet.dts = number
            packet.time_base, packet.stream = Fraction(1, 25), stream
            container.mux(packet)
    return path


@pytest.mark.parametrize("codec", ["mjpeg", "png"])
@pytest.mark.parametrize(("orientation", "size"), [(1, (48, 64)), (5, (64, 48)), (6, (64, 48))])
def test_frames_with_exif_are_read(tmp_path: Path, codec: str, orientation: int, size: tuple[int, int]) -> None:
    path = exif_video(tmp_path / "a.mov", codec, orientation)
    frames = list(read_frames(path))
    assert [frame.shape[:2] for frame in frames] == [size] * 3
    assert np.abs(frames[0].astype(int) - (200, 40, 40)).max() < 12


READERS: tuple[Callable[[Path], object], ...] = (
    lambda path: list(read_frames(path)),
    lambda path: list(read_frames(path, start=0.1, duration=0.1)),
    *(read_audio, probe, count_frames, read_picture, is_picture, check_self_contained),
)


def samples_of_formats(folder: Path) -> list[Path]:
    sound = np.full(8000, 3000, np.int16)
    for name, options in {
        "a.mp4": {"audio": sound, "audio_codec": "aac"},
        "a.mkv": {"audio": sound},
        "a.mov": {"audio": sound},
        "a.avi": {},
    }.items():
        encode(folder / name, even_times(6, 25), **options)  # type: ignore[arg-type]
    exif_video(folder / "b.mov", "mjpeg", 6)
    exif_video(folder / "c.mov", "png", 1)
    for name, codec in {"a.wav": "pcm_s16le", "b.wav": "pcm_f32le", "a.flac": "flac", "a.m4a": "aac"}.items():
        write_sound(folder / name, np.stack([speech(0.2)] * 2), codec=codec)
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 255, (24, 32, 3), np.uint8))
    for kind in ("jpg", "png", "webp", "gif", "bmp", "ppm", "jp2", "avif"):
        picture.save(folder / f"p.{kind}")
    return sorted(folder.iterdir())


def test_damaged_bytes_give_reasons(tmp_path: Path) -> None:
    """Some bytes are changed, or the end is cut off."""
    (tmp_path / "whole").mkdir()
    files, draw = samples_of_formats(tmp_path / "whole"), random.Random(0)
    for number in range(44):
        whole = files[number % len(files)]
        content = bytearray(whole.read_bytes())
        for _ in range(draw.choice((1, 5, 30))):
            content[draw.randrange(min(len(content), draw.choice((300, len(content)))))] = draw.randrange(256)
        damaged = tmp_path / f"damaged{whole.suffix}"
        damaged.write_bytes(content[: draw.randrange(1, len(content))] if number % 5 == 0 else content)
        for read in READERS:
            try:
                read(damaged)
            except PipelineError as error:
                assert damaged.name in str(error)  # noqa: PT017


@pytest.mark.parametrize("values", ["float32", "float64"])
def test_a_tiff_that_pillow_cannot_read(tmp_path: Path, values: str) -> None:
    """Floating-point colours are read when libav can read them; otherwise there is an error."""
    import cv2

    colours = np.random.default_rng(0).random((24, 32, 3)).astype(values)
    cv2.imwrite(str(tmp_path / "a.tiff"), colours[:, :, ::-1])
    assert is_picture(tmp_path / "a.tiff")
    if values == "float32":
        np.testing.assert_allclose(read_picture(tmp_path / "a.tiff"), colours * 255, atol=2)
    else:
        with pytest.raises(
            PipelineError, match=r"a\.tiff is an incomplete TIFF, or one of a kind that cannot be read\. Copy"
        ):
            read_picture(tmp_path / "a.tiff")
