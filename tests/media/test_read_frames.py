"""Pictures are read by presentation time, for any container, rate and start."""

from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
import psutil
import pytest

from pipeline.media import VideoWriter, read_frames
from tests.media.encode import encode, even_times, number_of, numbered_picture
from tests.media.pictures import count_frames

_MILLISECOND = Fraction(1, 1000)

# Suffix and encoder arguments. H.264 has B-frames, so frames are stored in another order than they are shown.
CONTAINERS = {
    "mp4": {},
    "mkv": {"time_base": _MILLISECOND},
    "mov": {},
    "ts": {},
    "flv": {"time_base": _MILLISECOND},
    "mpg": {"codec": "mpeg1video", "time_base": Fraction(1, 25)},
    "avi": {"codec": "mpeg4", "time_base": Fraction(1, 25)},
    "webm": {"codec": "libvpx", "time_base": _MILLISECOND},
}


def numbers(path: Path, *, fps: float = 25.0, start: float = 0.0, duration: float | None = None) -> list[int]:
    return [number_of(frame) for frame in read_frames(path, fps=fps, start=start, duration=duration)]


def shown_at(tick: Fraction, times: list[Fraction]) -> int:
    """Reference: the nearest frame; frames after the tick count only less than half a tick ahead."""
    candidates = [n for n, time in enumerate(times) if time <= tick or time - tick < Fraction(1, 50)]
    return min(candidates, key=lambda n: (abs(times[n] - tick), n))


@pytest.mark.parametrize("suffix", CONTAINERS)
def test_25_fps_passes_one_to_one(tmp_path: Path, suffix: str) -> None:
    path = encode(tmp_path / f"a.{suffix}", even_times(60, 25), **CONTAINERS[suffix])  # type: ignore[arg-type]
    assert numbers(path) == list(range(60))
    assert count_frames(path) == 60


@pytest.mark.parametrize("suffix", CONTAINERS)
def test_start_is_exact_after_a_seek(tmp_path: Path, suffix: str) -> None:
    path = encode(tmp_path / f"a.{suffix}", even_times(120, 25), **CONTAINERS[suffix])  # type: ignore[arg-type]
    whole = list(read_frames(path))
    for first in (1, 12, 13, 50, 119):
        piece = list(read_frames(path, start=first / 25, duration=0.2))
        np.testing.assert_array_equal(piece, whole[first : first + 5])


def test_pieces_tile_the_video(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp4", even_times(100, Fraction(30000, 1001)))
    pieces = [number for start in range(4) for number in numbers(path, start=start, duration=1.0)]
    assert pieces == numbers(path)


def test_a_start_after_the_end_gives_nothing(tmp_path: Path) -> None:
    assert numbers(encode(tmp_path / "a.mp4", even_times(30, 25)), start=5.0) == []


@pytest.mark.parametrize("fps", ["24000/1001", "24", "30000/1001", "30", "50", "60000/1001", "60", "12", "100"])
def test_other_rates_show_the_nearest_frame(tmp_path: Path, fps: str) -> None:
    times = even_times(70, Fraction(fps))
    path = encode(tmp_path / "a.mp4", times)
    duration = 70 / Fraction(fps)
    expected = [shown_at(Fraction(tick, 25), times) for tick in range(int(duration * 25 + Fraction(1, 2)))]
    assert numbers(path) == expected


def test_variable_rate(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    times = [Fraction(int(time), 1000) for time in np.cumsum([0, *rng.integers(5, 150, 119)])]
    path = encode(tmp_path / "a.mkv", times, time_base=_MILLISECOND)
    shown = numbers(path)
    assert shown == [shown_at(Fraction(tick, 25), times) for tick in range(len(shown))]
    assert len(shown) / 25 == pytest.approx(float(times[-1]), abs=0.1)


def test_jittering_time_stamps_pass_one_to_one(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    times = [Fraction(40 * n + int(rng.integers(-9, 10)) * (n > 0), 1000) for n in range(100)]
    assert numbers(encode(tmp_path / "a.mkv", times, time_base=_MILLISECOND)) == list(range(100))


def test_a_still_picture_stays_until_the_next(tmp_path: Path) -> None:
    times = [Fraction(0), Fraction(1, 25), Fraction(3), Fraction(76, 25)]
    shown = numbers(encode(tmp_path / "a.mkv", times, time_base=_MILLISECOND))
    assert shown[:2] == [0, 1]
    assert set(shown[2:75]) == {1}
    assert shown[75:77] == [2, 3]


def test_another_output_rate(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp4", even_times(50, 25))
    assert numbers(path, fps=50.0) == [number for number in range(50) for _ in range(2)]
    assert numbers(path, fps=5.0) == list(range(0, 50, 5))


def test_time_starts_at_the_first_frame(tmp_path: Path) -> None:
    late = [time + 7 for time in even_times(40, 25)]
    assert numbers(encode(tmp_path / "a.mkv", late, time_base=_MILLISECOND)) == list(range(40))


def test_one_frame(tmp_path: Path) -> None:
    for fps in (25, 60):
        path = encode(tmp_path / "a.mp4", even_times(1, fps))
        assert numbers(path) == [0]


def test_a_stream_without_time_stamps(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.h264", even_times(40, 25), options={"bf": "0"})
    assert numbers(path) == list(range(40))


def test_odd_sizes(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.avi", even_times(3, 25), codec="png", pix_fmt="rgb24", size=(65, 47))
    for number, frame in enumerate(read_frames(path)):
        np.testing.assert_array_equal(frame, numbered_picture(number, 65, 47))


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_rotation_is_applied(tmp_path: Path, quarters: int) -> None:
    path = encode(tmp_path / "a.mp4", even_times(3, 25))
    content = bytearray(path.read_bytes())
    at = content.index(b"tkhd") + 4 + 40  # the display matrix, 16.16 fixed point, clockwise
    cosine, sine = ((1, 0), (0, 1), (-1, 0), (0, -1))[quarters]
    matrix = np.array([cosine, sine, 0, -sine, cosine, 0, 0, 0, 1 << 14]) * 65536
    content[at : at + 36] = matrix.astype(np.int64).astype(np.uint32).astype(">u4").tobytes()
    path.write_bytes(content)
    upright = np.rot90(numbered_picture(1), -quarters)
    frame = list(read_frames(path))[1]
    assert frame.shape == upright.shape
    assert np.abs(frame.astype(int) - upright).mean() < 6


def test_frames_share_no_memory(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp4", even_times(30, 15))
    kept = list(read_frames(path))
    copies = [frame.copy() for frame in read_frames(path)]
    for frame in kept:
        assert frame.flags.writeable
        assert frame.flags.c_contiguous
    np.testing.assert_array_equal(kept, copies)
    kept[0][:] = 0  # the next picture shows the same source frame
    np.testing.assert_array_equal(kept[1], copies[1])


def test_colours_are_right(tmp_path: Path) -> None:
    levels = (10, 128, 240)
    colours = [(r, g, b) for r in levels for g in levels for b in levels]
    with VideoWriter(tmp_path / "a.mp4", size=(64, 64), crf=0) as video:
        for colour in colours:
            video.write(np.full((64, 64, 3), colour, np.uint8))
    means = np.array([frame.mean(axis=(0, 1)) for frame in read_frames(tmp_path / "a.mp4")])
    assert np.abs(means - colours).max() <= 1.0
    assert np.abs((means - colours).mean()) < 0.2


def test_memory_does_not_grow_with_the_length(tmp_path: Path) -> None:
    picture = np.zeros((120, 160, 3), np.uint8)
    with VideoWriter(tmp_path / "a.mp4", size=(160, 120)) as video:
        for number in range(800):
            picture[:, number % 160] = number % 256
            video.write(picture)
    frames = read_frames(tmp_path / "a.mp4")
    for _ in islice(frames, 100):
        pass
    before = psutil.Process().memory_info().rss
    assert sum(1 for _ in frames) == 700  # 40 MB if they were kept
    assert psutil.Process().memory_info().rss - before < 20e6


def test_real_clips(corpora: Path) -> None:
    for name, count, shape in (
        ("grid/s1/bbaf3s.mpg", 75, (288, 360, 3)),
        ("grid/s1/lrae3s.mpg", 74, (288, 360, 3)),
        ("lrw_like/lipread_mp4/ABOUT/train/ABOUT_00001.mp4", 29, (256, 256, 3)),
    ):
        frames = list(read_frames(corpora / name))
        assert len(frames) == count
        assert frames[0].shape == shape
        np.testing.assert_array_equal(list(read_frames(corpora / name, start=0.8)), frames[20:])
