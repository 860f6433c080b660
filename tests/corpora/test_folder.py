"""A folder of videos: found, cut, named and split."""

import shutil
import struct
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path

import pytest

from pipeline.config.params import Params
from pipeline.corpora.base import Clip
from pipeline.corpora.folder import FolderParams
from pipeline.corpora.registry import open_corpus
from pipeline.media import probe
from pipeline.runtime.errors import PipelineError
from tests.media.encode import encode, even_times
from tests.media.pictures import count_frames


def clips(root: Path, **folder: float) -> list[Clip]:
    settings = FolderParams(root=str(root), **{"clip_seconds": 2.0, **folder})
    return open_corpus(Params(corpus="folder", corpora={"folder": asdict(settings)}), Path("/nowhere")).clips()


def video(path: Path, frames: int, fps: float | Fraction = 25) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".mpg":
        return encode(path, even_times(frames, fps), codec="mpeg1video", time_base=Fraction(1, 25))
    return encode(path, even_times(frames, fps), options={"preset": "ultrafast"})


@pytest.fixture
def home(tmp_path: Path) -> Path:
    video(tmp_path / "talk.mp4", 120)
    video(tmp_path / "anna/interview one.MKV", 60, Fraction(30000, 1001))
    video(tmp_path / "anna/день рождения.mpg", 30)
    video(tmp_path / "ben/deep/er/x.mov", 300, 50)
    (tmp_path / "ben/notes.txt").write_text("not a video")
    (tmp_path / ".hidden.mp4").touch()
    return tmp_path


def test_every_video_is_found_and_cut(home: Path) -> None:
    listed = clips(home)
    assert {clip.id: (clip.speaker, clip.start, clip.duration) for clip in listed} == {
        "anna/interview one#0000": ("anna", 0.0, None),
        "anna/день рождения#0000": ("anna", 0.0, None),
        "ben/deep/er/x#0000": ("er", 0.0, 2.0),
        "ben/deep/er/x#0001": ("er", 2.0, 2.0),
        "ben/deep/er/x#0002": ("er", 4.0, None),
        "talk#0000": ("talk", 0.0, 2.0),
        "talk#0001": ("talk", 2.0, 2.0),
        "talk#0002": ("talk", 4.0, None),
    }
    assert [clip.id for clip in listed] == sorted(clip.id for clip in listed)
    counts = [count_frames(clip.path, start=clip.start, duration=clip.duration) for clip in listed]
    assert sum(counts) == 120 + 50 + 30 + 150


@pytest.mark.parametrize(("frames", "pieces"), [(100, 2), (119, 2), (120, 3), (10, 1), (69, 1), (70, 2)])
def test_a_short_rest_joins_the_last_clip(tmp_path: Path, frames: int, pieces: int) -> None:
    for name in "abc":
        video(tmp_path / f"{name}.mp4", frames)
    listed = [clip for clip in clips(tmp_path) if clip.path.stem == "a"]
    assert len(listed) == pieces
    assert sum(count_frames(clip.path, start=clip.start, duration=clip.duration) for clip in listed) == frames


def test_a_wrong_duration_in_the_header_makes_no_clips(tmp_path: Path) -> None:
    path = video(tmp_path / "a.mkv", 120)
    content = bytearray(path.read_bytes())
    place = content.index(b"\x44\x89\x88") + 3  # Matroska's duration in ms
    content[place : place + 8] = struct.pack(">d", 1e13)
    path.write_bytes(content)
    assert probe(path).duration == 1e10
    assert len(clips(tmp_path, clip_seconds=1.0)) == 5


def test_whole_videos_are_split(home: Path) -> None:
    listed = clips(home)
    assert len({(clip.path, clip.split) for clip in listed}) == 4
    assert {clip.split for clip in listed} == {"train", "val", "test"}


def test_one_or_two_videos_are_split_in_time(tmp_path: Path) -> None:
    shares = {"clip_seconds": 1.0, "test": 0.2}
    video(tmp_path / "b.mp4", 250)
    assert [clip.split for clip in clips(tmp_path, **shares)] == ["train"] * 7 + ["val"] + ["test"] * 2
    video(tmp_path / "a.mp4", 250)
    assert [clip.split for clip in clips(tmp_path, **shares)] == ["train"] * 14 + ["val"] * 2 + ["test"] * 4


@pytest.mark.parametrize("others", [2, 3])
def test_copies_share_a_split(tmp_path: Path, others: int) -> None:
    """Nine copies with other names or in other folders, and a few more videos."""
    first = video(tmp_path / "take1.mp4", 60)
    for name in ("take2.mp4", "take3.mov", "a/take1.mp4", "b/x.mp4", "c d/y.mp4", "z1.mp4", "z2.mp4", "z3.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(first, tmp_path / name)
    for number in range(others):
        video(tmp_path / f"other{number}.mp4", 51 + number)
    listed = clips(tmp_path)
    assert len({clip.split for clip in listed if clip.path.read_bytes() == first.read_bytes()}) == 1
    assert {clip.split for clip in listed} == {"train", "val", "test"}


def test_equal_names_stay_apart(tmp_path: Path) -> None:
    for name in ("a.mp4", "a.mov", "b.mp4", "c/a.mp4"):
        video(tmp_path / name, 30)
    assert [clip.id for clip in clips(tmp_path)] == ["a.mov#0000", "a.mp4#0000", "b#0000", "c/a#0000"]


def test_unreadable_videos_are_listed(tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4", "c.mp4"):
        video(tmp_path / name, 30)
    (tmp_path / "broken.mp4").write_text("no video")
    (tmp_path / "link.mp4").symlink_to("nowhere.mp4")
    assert {"broken#0000", "link#0000"} < {clip.id for clip in clips(tmp_path)}


def test_a_container_without_duration(tmp_path: Path) -> None:
    for name in "abc":
        encode(tmp_path / f"{name}.mkv", even_times(100, 25))
        content = (tmp_path / f"{name}.mkv").read_bytes()
        at = content.index(b"\x44\x89\x88")  # Matroska's duration, renamed to an element that readers skip
        (tmp_path / f"{name}.mkv").write_bytes(content[:at] + b"\xec\x89" + content[at + 2 :])
        assert probe(tmp_path / f"{name}.mkv").duration == 0.0
    assert len(clips(tmp_path)) == 6


def test_errors_name_the_key(tmp_path: Path) -> None:
    with pytest.raises(
        PipelineError, match=r"corpora\.folder\.root: the folder .*none does not exist\. Put videos there"
    ):
        clips(tmp_path / "none")
    with pytest.raises(PipelineError, match=r"corpora\.folder\.root: no video \(\.3gp, .*\.mp4.*\) in "):
        clips(tmp_path)
    (tmp_path / "videos.zip").touch()
    (tmp_path / "notes.txt").touch()
    with pytest.raises(PipelineError, match=r"which holds 1 \.txt; 1 \.zip\. Unpack videos\.zip there\.$"):
        clips(tmp_path)
    video(tmp_path / "a.mp4", 100)
    with pytest.raises(PipelineError, match=r"make 2 clips of 2 s\. .* need 3, so about 6 s of video\. Add videos"):
        clips(tmp_path)
