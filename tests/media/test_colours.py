"""Pictures have the colours that a player shows on an ordinary screen."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from pipeline.media import MediaError, read_frames
from tests.media.encode import encode, even_times

Numbers = NDArray[np.float64]
Curve = Callable[[Numbers], Numbers]
PATCHES = np.array(
    [[60, 40, 35], [200, 150, 120], [128, 128, 128], [235, 235, 235], [20, 20, 20], [90, 140, 60], [60, 80, 150]]
)
PICTURE = np.repeat(np.repeat(PATCHES[None], 32, axis=1), 48, axis=0).astype(np.uint8)  # (48, 224, 3)
TO_BT2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])


def patches(picture_HWC: NDArray[np.uint8]) -> Numbers:
    """The mean colour of each patch."""
    return np.array([picture_HWC[8:40, 32 * n + 8 : 32 * n + 24].mean(axis=(0, 1)) for n in range(len(PATCHES))])


def light(signal: Numbers) -> Numbers:
    return np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)


def hlg(linear: Numbers) -> Numbers:
    """White at 75% of the signal."""
    scene = linear * 0.26496
    bright = 0.17883277 * np.log(np.maximum(12 * scene, 1) - 0.28466892) + 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), bright)


def pq(linear: Numbers) -> Numbers:
    """White at 203 cd/m2."""
    power = (linear * 203 / 10000) ** 0.1593017578125
    return np.asarray(((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375)


def write(path: Path, rgb16_HWC: NDArray[np.uint16], pix_fmt: str, codec: str, **tags: int) -> Path:
    """Three frames of 16-bit RGB, with the stream's matrix, range, primaries and transfer."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=25, options={"crf": "4", "x265-params": "log-level=none"})
        stream.height, stream.width = rgb16_HWC.shape[:2]
        stream.pix_fmt = pix_fmt
        for tag, value in tags.items():
            setattr(stream.codec_context, tag, value)
        matrix = tags.get("colorspace", Colorspace.ITU601)
        full = tags.get("color_range") == ColorRange.JPEG
        for number in range(3):
            frame = av.VideoFrame.from_ndarray(rgb16_HWC, format="rgb48le").reformat(
                format=pix_fmt, dst_colorspace=matrix, dst_color_range=ColorRange.JPEG if full else ColorRange.MPEG
            )
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(("curve", "transfer"), [(hlg, 18), (pq, 16)])
@pytest.mark.parametrize(
    ("suffix", "codec", "pix_fmt"),
    [("mp4", "libx265", "yuv420p10le"), ("mkv", "ffv1", "yuv422p10le"), ("mp4", "libx264", "yuv420p")],
)
@pytest.mark.parametrize("wide", [True, False])
def test_high_dynamic_range_looks_like_ordinary_video(
    tmp_path: Path,
    curve: Callable[[Numbers], Numbers],
    transfer: int,
    suffix: str,
    codec: str,
    pix_fmt: str,
    wide: bool,
) -> None:
    linear = light(PICTURE / 255)
    signal = curve(linear @ TO_BT2020.T if wide else linear)
    tags = {"color_trc": transfer, "color_primaries": 9 if wide else 1, "colorspace": 9 if wide else 1}
    path = write(tmp_path / f"a.{suffix}", np.rint(signal * 65535).astype(np.uint16), pix_fmt, codec, **tags)
    for picture in read_frames(path):
        colours = patches(picture)
        assert np.abs(colours - PATCHES).max() < (8 if pix_fmt == "yuv420p" else 5)
        assert np.ptp(colours[2:5], axis=1).max() <= (2 if codec == "ffv1" else 6)  # grey stays grey


def test_levels_above_white_stay_distinct(tmp_path: Path) -> None:
    linear = np.repeat(np.repeat(np.array([0.9, 1.0, 1.2, 1.5, 2.0, 3.0, 3.7])[None, :, None], 32, 1), 48, 0)
    signal = np.rint(hlg(np.repeat(linear, 3, axis=2)) * 65535).astype(np.uint16)
    path = write(tmp_path / "a.mkv", signal, "yuv444p10le", "ffv1", color_trc=18, color_primaries=9, colorspace=9)
    levels = patches(next(iter(read_frames(path))))[:, 0]
    assert (np.diff(levels) >= 0).all()
    assert levels[0] < levels[1] < levels[2] < 256
    assert levels[1] > 245


def test_wide_colours_with_ordinary_range(tmp_path: Path) -> None:
    linear = light(PICTURE / 255) @ TO_BT2020.T
    signal = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    rgb = np.rint(signal * 65535).astype(np.uint16)
    path = write(tmp_path / "a.mp4", rgb, "yuv420p10le", "libx265", color_primaries=9, colorspace=9, color_trc=14)
    assert np.abs(patches(next(iter(read_frames(path)))) - PATCHES).max() < 4


@pytest.mark.parametrize("matrix", [Colorspace.ITU709, Colorspace.ITU601])
@pytest.mark.parametrize("reach", [ColorRange.MPEG, ColorRange.JPEG])
@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p", "yuv420p10le"])
def test_the_files_matrix_and_range_are_used(
    tmp_path: Path, matrix: Colorspace, reach: ColorRange, pix_fmt: str
) -> None:
    rgb = PICTURE.astype(np.uint16) * 257
    path = write(tmp_path / "a.mkv", rgb, pix_fmt, "ffv1", colorspace=matrix, color_range=reach)
    assert np.abs(patches(next(iter(read_frames(path)))) - PATCHES).max() <= 2.5


@pytest.mark.parametrize(("size", "matrix"), [((1280, 720), 1), ((640, 640), 1), ((720, 576), 5), ((256, 256), 5)])
def test_the_size_decides_when_the_file_names_no_matrix(tmp_path: Path, size: tuple[int, int], matrix: int) -> None:
    colour = np.full((size[1], size[0], 3), (60, 160, 90), np.uint16) * 257
    tagged = write(tmp_path / "tagged.mp4", colour, "yuv420p", "libx264", colorspace=matrix)
    untagged = tmp_path / "untagged.h264"
    with av.open(str(tagged)) as source, av.open(str(untagged), "w") as target:
        stream: Any = target.add_stream("libx264", rate=25, options={"crf": "4"})
        stream.width, stream.height = size
        for frame in source.decode(video=0):
            frame.colorspace, frame.pts = 2, None
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    with av.open(str(untagged)) as container:
        assert next(container.decode(video=0)).colorspace == 2
    colour_3 = next(iter(read_frames(untagged)))[50, 50].astype(int)
    np.testing.assert_allclose(colour_3, (60, 160, 90), atol=3)


@pytest.mark.parametrize(
    ("suffix", "codec", "pix_fmt"),
    [
        ("mov", "qtrle", "argb"),
        ("mov", "prores_ks", "yuva444p10le"),
        ("mov", "png", "rgba"),
        ("mkv", "ffv1", "yuva420p"),
        ("avi", "utvideo", "gbrap"),
        ("webm", "libvpx-vp9", "yuva420p"),
        ("webm", "libvpx", "yuva420p"),
    ],
)
def test_hidden_colours_of_a_video_are_not_shown(tmp_path: Path, suffix: str, codec: str, pix_fmt: str) -> None:
    pixels = np.zeros((48, 64, 4), np.uint8)
    pixels[:, :32, 1] = 255
    pixels[:, 32:] = (200, 100, 50, 255)
    pixels[:16, 32:, 3] = 128
    with av.open(str(tmp_path / f"a.{suffix}"), "w") as container:
        stream: Any = container.add_stream(codec, rate=25, options={"auto-alt-ref": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, pix_fmt
        for _ in range(3):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgba").reformat(format=pix_fmt)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    pictures = list(read_frames(tmp_path / f"a.{suffix}"))
    assert len(pictures) == 3
    for picture in pictures:
        np.testing.assert_allclose(picture[40, 10].astype(int), 255, atol=3)
        np.testing.assert_allclose(picture[40, 50].astype(int), (200, 100, 50), atol=6)
        np.testing.assert_allclose(picture[6, 50].astype(int), (227, 177, 152), atol=6)


def test_four_k_is_read_at_half_the_size(tmp_path: Path) -> None:
    picture = np.zeros((2160, 3840, 3), np.uint8)
    picture[:, 1920:] = 200
    path = encode(
        tmp_path / "a.mp4",
        even_times(2, 25),
        size=(3840, 2160),
        draw=lambda _: picture,
        options={"preset": "ultrafast"},
    )
    frames = list(read_frames(path))
    assert {frame.shape for frame in frames} == {(1080, 1920, 3)}
    np.testing.assert_allclose(frames[1][500, 1500].astype(int), 200, atol=4)


@pytest.mark.parametrize(("width", "height"), [(8200, 8200), (16386, 64)])
def test_a_video_with_too_many_pixels(tmp_path: Path, width: int, height: int) -> None:
    path = encode(
        tmp_path / "a.avi", even_times(1, 25), size=(width, height), codec="png", pix_fmt="gray",
        draw=lambda _: np.zeros((height, width, 3), np.uint8),
    )  # fmt: skip
    with pytest.raises(MediaError, match="its picture has too many pixels"):
        next(iter(read_frames(path)))
