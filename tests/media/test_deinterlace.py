"""Interlaced video gives one picture without combs for each frame."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.media import Damage, read_frames
from tests.media.encode import set_matrix
from tests.media.pictures import count_frames

SIZE = (160, 120)


def scene(moment: int) -> NDArray[np.uint8]:
    """A bright square that moves to the right."""
    picture = np.full((SIZE[1], SIZE[0], 3), (90, 120, 160), np.uint8)
    picture[30:90, 10 + 2 * moment : 60 + 2 * moment] = (210, 150, 120)
    return picture


def write(path: Path, codec: str, pix_fmt: str, *, top_first: bool = True, marked: bool = True) -> Path:
    """Frames whose odd and even lines show successive moments."""
    field = "tff" if top_first else "bff"
    options = {"x264-params": f"{field}=1"} if codec == "libx264" and marked else {}
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = *SIZE, pix_fmt
        if marked:
            flags = av.codec.context.Flags
            stream.codec_context.flags |= flags.interlaced_dct | flags.interlaced_me
        graph: Any = None
        for number in range(20):
            both = scene(2 * number)
            both[top_first::2] = scene(2 * number + 1)[top_first::2]
            frame = av.VideoFrame.from_ndarray(both, format="rgb24").reformat(format=pix_fmt)
            frame.pts, frame.time_base = number, Fraction(1, 25)
            if marked:
                graph = graph or _setting(frame, field)
                graph.push(frame)
                frame = graph.pull()
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def _setting(frame: Any, field: str) -> Any:
    graph = av.filter.Graph()
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base)
    graph.link_nodes(source, graph.add("setfield", field), graph.add("buffersink")).configure()
    return graph


def woven(path: Path) -> NDArray[np.uint8]:
    """The first frame as it is stored."""
    with av.open(str(path)) as container:
        return np.asarray(next(container.decode(video=0)).to_ndarray(format="rgb24"), np.uint8)


def combs(picture_HWC: NDArray[np.uint8]) -> float:
    """How far lines differ from the mean of their neighbours."""
    grey = picture_HWC.astype(float).mean(axis=2)
    return float(np.abs(grey[1:-1] - (grey[:-2] + grey[2:]) / 2).mean())


@pytest.mark.parametrize(
    ("suffix", "codec", "pix_fmt"),
    [
        ("mp4", "libx264", "yuv420p"),
        ("ts", "libx264", "yuv420p"),
        ("mpg", "mpeg2video", "yuv420p"),
        ("avi", "mpeg4", "yuv420p"),
        ("mkv", "ffv1", "yuv422p"),
        ("mov", "prores_ks", "yuv422p10le"),
    ],
)
@pytest.mark.parametrize("top_first", [True, False])
def test_frames_are_deinterlaced(tmp_path: Path, suffix: str, codec: str, pix_fmt: str, top_first: bool) -> None:
    path = write(tmp_path / f"a.{suffix}", codec, pix_fmt, top_first=top_first)
    damage = Damage()
    pictures = list(read_frames(path, damage=damage))
    assert len(pictures) == count_frames(path) == 20
    assert not str(damage)
    still = combs(scene(0))
    assert combs(woven(path)) > 3 * still
    for number, picture in enumerate(pictures):
        assert combs(picture) < 2.2 * still
        bright = np.flatnonzero(picture[60, :, 0] > 150)
        assert abs(bright[0] - (10 + 4 * number)) <= 4  # neither early nor late
        np.testing.assert_allclose(picture[10, 10].astype(int), (90, 120, 160), atol=4)


def test_a_window_equals_a_slice_of_the_whole(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", "libx264", "yuv420p")
    whole = list(read_frames(path))
    np.testing.assert_array_equal(list(read_frames(path, start=0.4, duration=0.2)), whole[10:15])


def test_rotation_is_kept(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", "libx264", "yuv420p")
    set_matrix(path, (0, 1, -1, 0))
    assert {picture.shape for picture in read_frames(path)} == {(SIZE[0], SIZE[1], 3)}


def test_progressive_frames_pass_unchanged(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mkv", "ffv1", "bgr0", marked=False)
    for number, picture in enumerate(read_frames(path)):
        np.testing.assert_array_equal(picture[0::2], scene(2 * number)[0::2])
        np.testing.assert_array_equal(picture[1::2], scene(2 * number + 1)[1::2])
