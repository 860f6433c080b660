"""Written files hold what was written, have the same bytes each time, and are complete or absent."""

from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.media import MediaError, VideoWriter, probe, read_audio, read_frames
from tests.media.encode import number_of, numbered_picture


def write(path: Path, count: int, audio: NDArray[np.int16] | None = None, fps: float = 25.0) -> Path:
    with VideoWriter(path, size=(64, 48), fps=fps, audio=audio) as video:
        for number in range(count):
            video.write(numbered_picture(number % 256))
    return path


def tone(samples: int) -> NDArray[np.int16]:
    return np.asarray(8000 * np.sin(np.arange(samples) * 0.05), np.int16)


@pytest.mark.parametrize(
    ("frames", "samples"), [(75, 48000), (75, 47000), (75, 48500), (10, 32000), (40, 1), (1, 640), (251, 160123)]
)
def test_lengths_are_kept_exactly(tmp_path: Path, frames: int, samples: int) -> None:
    path = write(tmp_path / "a.mp4", frames, tone(samples))
    assert [number_of(frame) for frame in read_frames(path)] == [number % 256 for number in range(frames)]
    samples_N = read_audio(path)
    assert len(samples_N) == samples
    assert probe(path).audio_offset == 0.0
    if samples > 1000:
        assert np.corrcoef(samples_N, tone(samples))[0, 1] > 0.999
    with av.open(str(path)) as container:  # as other players see it
        sound, picture = container.streams.audio[0], container.streams.video[0]
        assert picture.duration is not None
        assert picture.time_base is not None
        assert sound.duration == pytest.approx(samples, abs=16)  # MP4 has it in milliseconds
        assert float(picture.duration * picture.time_base) == pytest.approx(frames / 25)
        assert (picture.codec_context.name, picture.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert sound.codec_context.name == "aac"


@pytest.mark.parametrize("fps", [24000 / 1001, 29.97, 30.0, 50.0])
def test_other_frame_rates(tmp_path: Path, fps: float) -> None:
    path = write(tmp_path / "a.mp4", 60, fps=fps)
    assert [number_of(frame) for frame in read_frames(path, fps=fps)] == list(range(60))
    assert not probe(path).has_audio


def test_the_bytes_are_the_same_each_time(tmp_path: Path) -> None:
    first, second = (write(tmp_path / f"{name}.mp4", 50, tone(32000)) for name in ("a", "other"))
    assert first.read_bytes() == second.read_bytes()


def test_the_picture_quality(tmp_path: Path, photograph: NDArray[np.uint8]) -> None:
    with VideoWriter(tmp_path / "a.mp4", size=(512, 512)) as video:
        for _ in range(3):
            video.write(photograph)
    for frame in read_frames(tmp_path / "a.mp4"):
        error = np.mean((frame.astype(float) - photograph) ** 2)
        assert 10 * np.log10(255**2 / error) > 35


def test_a_file_is_complete_or_absent(tmp_path: Path) -> None:
    path = tmp_path / "deeper" / "ein Märchen.mp4"

    def breaks_off() -> None:
        with VideoWriter(path, size=(64, 48), audio=tone(9000)) as video:
            video.write(numbered_picture(0))
            assert not path.exists()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        breaks_off()
    assert list(path.parent.iterdir()) == []
    write(path, 3)
    before = path.read_bytes()
    with pytest.raises(MediaError, match="no frame"):
        write(path, 0)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_wrong_arguments(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="even"):
        VideoWriter(tmp_path / "a.mp4", size=(65, 48))
    with pytest.raises(ValueError, match="int16"):
        VideoWriter(tmp_path / "a.mp4", size=(64, 48), audio=np.zeros(100, np.float32))
    with (
        pytest.raises(ValueError, match=r"uint8 \(48, 64, 3\)"),
        VideoWriter(tmp_path / "a.mp4", size=(64, 48)) as video,
    ):
        video.write(np.zeros((64, 48, 3), np.uint8))
    assert list(tmp_path.iterdir()) == []
