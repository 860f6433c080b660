"""Unreadable files raise a MediaError; damaged files are read on and their damage is counted."""

import os
import pickle
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from pipeline.media import Damage, MediaError, VideoWriter, probe, read_audio, read_frames
from pipeline.runtime.errors import PipelineError
from tests.as_nobody import not_as_root
from tests.media.encode import encode, even_times, number_of
from tests.media.pictures import count_frames


def consume(path: Path) -> None:
    list(read_frames(path))


def text_as_video(path: Path) -> None:
    path.write_text("this is not a video\n" * 200)


def empty(path: Path) -> None:
    path.touch()


def headless(path: Path) -> None:
    """An MP4 without the index at its end."""
    encode(path, even_times(50, 25))
    path.write_bytes(path.read_bytes()[:-2000])


def folder(path: Path) -> None:
    path.mkdir()


def pipe(path: Path) -> None:
    os.mkfifo(path)


def missing(path: Path) -> None:
    pass


def dangling_link(path: Path) -> None:
    path.symlink_to("nowhere.mp4")


def sound_alone(path: Path) -> None:
    encode(path, [], audio=np.zeros(16000, np.int16), audio_codec="aac")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (text_as_video, "not a media file, or incomplete"),
        (empty, "the file is empty (0 bytes)"),
        (headless, "not a media file, or incomplete"),
        (folder, "a folder, not a file"),
        (pipe, "a pipe or device, not a file"),
        (missing, "no such file"),
        (dangling_link, "no such file"),
        (sound_alone, "no video stream"),
    ],
)
@pytest.mark.parametrize("name", ["clip.mp4", "ein Märchen 电影.mp4"])
def test_unreadable_files(tmp_path: Path, make: Callable[[Path], None], reason: str, name: str) -> None:
    path = tmp_path / name
    make(path)
    with pytest.raises(MediaError) as caught:
        consume(path)
    assert caught.value.reason.startswith(reason)
    assert str(tmp_path) not in caught.value.reason
    assert str(caught.value).startswith(f"{path}: {reason}")
    assert caught.value.advice
    assert "remove" not in caught.value.advice  # the user may have named a file by mistake


def test_no_permission(public: Path) -> None:
    path = encode(public / "a.mp4", even_times(3, 25))
    probe(path)
    path.chmod(0)
    with not_as_root(), pytest.raises(MediaError, match="no permission"):
        probe(path)


def test_no_audio(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp4", even_times(25, 25))
    with pytest.raises(MediaError, match=r"a\.mp4: no audio stream"):
        read_audio(path)
    info = probe(path)
    assert (info.has_video, info.has_audio, info.audio_offset) == (True, False, 0.0)
    assert (info.fps, info.duration) == (25.0, 1.0)


def test_sound_needs_no_video(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp4", [], audio=np.zeros(16000, np.int16), audio_codec="aac")
    info = probe(path)
    assert (info.has_video, info.has_audio, info.fps) == (False, True, 0.0)
    assert len(read_audio(path)) == 16000


def test_a_subtitle_file_has_neither_video_nor_sound(tmp_path: Path) -> None:
    path = tmp_path / "a.srt"
    path.write_text("1\n00:00:00,000 --> 00:00:01,000\nHello\n\n" * 3)
    with pytest.raises(MediaError, match="no video stream and no audio stream"):
        probe(path)


def test_errors_can_be_pickled() -> None:
    error = pickle.loads(pickle.dumps(MediaError(Path("a.mp4"), "no video stream", "Use another.")))
    assert isinstance(error, MediaError)
    assert isinstance(error, PipelineError)
    assert (str(error), error.reason) == ("a.mp4: no video stream. Use another.", "no video stream")


def test_concealed_frames_are_counted(corpora: Path) -> None:
    damage = Damage()
    assert count_frames(corpora / "grid/s1/sgib8n.mpg", damage=damage) == 75
    assert (damage.concealed, damage.lost) == (1, 0)
    assert str(damage) == "1 frame concealed"
    whole = Damage()
    count_frames(corpora / "grid/s1/bbaf3s.mpg", damage=whole)
    assert str(whole) == ""


def test_damage_outside_the_window_does_not_count(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.ts", even_times(200, 25))
    content = bytearray(path.read_bytes())
    # Damage many frames: encoders vary, and damage to few frames may leave no trace.
    content[len(content) // 4 : len(content) // 4 + 9000] = bytes(9000)
    path.write_bytes(content)
    damages = [Damage(), Damage(), Damage()]
    count_frames(path, damage=damages[0])
    count_frames(path, duration=0.8, damage=damages[1])
    count_frames(path, start=5.2, duration=2.0, damage=damages[2])
    assert str(damages[0])
    assert not str(damages[1])
    assert not str(damages[2])


def test_decoding_goes_on_after_damage(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.ts", even_times(100, 25))
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 2000] = bytes(2000)
    path.write_bytes(content)
    damage = Damage()
    shown = [number_of(frame) for frame in read_frames(path, damage=damage)]
    assert 0 < damage.lost + damage.concealed < 20
    assert len(shown) == 100
    assert shown[:30] == list(range(30))
    assert shown[-30:] == list(range(70, 100))


def test_a_file_without_its_end(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mpg", even_times(75, 25), codec="mpeg1video", time_base=even_times(2, 25)[1])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    shown = [number_of(frame) for frame in read_frames(path)]
    assert 20 < len(shown) < 60
    assert shown[:20] == list(range(20))


def test_a_damaged_time_does_not_make_the_video_endless(tmp_path: Path) -> None:
    times = [*even_times(50, 25), Fraction(5000)]
    damage = Damage()
    assert count_frames(encode(tmp_path / "a.mkv", times, time_base=Fraction(1, 1000)), damage=damage) <= 75
    assert damage.lost == 1


def test_a_damaged_time_does_not_make_the_sound_endless(corpora: Path, tmp_path: Path) -> None:
    """A bit error sets one packet more than an hour ahead."""
    content = bytearray((corpora / "grid/s1/bbaf3s.mpg").read_bytes())
    stamp = content.rindex(b"\x00\x00\x01\xc0", 0, len(content) * 9 // 10) + 6
    while content[stamp] & 0xF0 not in (0x20, 0x30):
        stamp += 1
    content[stamp + 1] ^= 0x7F
    path = tmp_path / "a.mpg"
    path.write_bytes(content)
    with av.open(str(path)) as container:
        assert max(frame.time or 0 for frame in container.decode(container.streams.audio[0])) > 3600
    damage = Damage()
    samples = read_audio(path, damage=damage)
    assert 0 < damage.lost < 10
    assert len(samples) == pytest.approx(47648, abs=1)
    before = round(2.5 * 16000)  # the packet is later
    np.testing.assert_array_equal(samples[:before], read_audio(corpora / "grid/s1/bbaf3s.mpg")[:before])


def test_libav_is_silent(corpora: Path, capfd: pytest.CaptureFixture[str]) -> None:
    list(read_frames(corpora / "grid/s1/sgib8n.mpg"))
    read_audio(corpora / "grid/s1/sgib8n.mpg")
    assert capfd.readouterr() == ("", "")


def test_an_output_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(MediaError, match="cannot be written"):
        VideoWriter(tmp_path / "file" / "a.mp4", size=(64, 48))
