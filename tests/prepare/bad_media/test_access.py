"""Unreadable files and folders, links, and long videos."""

import shutil
from pathlib import Path

import pytest

from pipeline.corpora.registry import open_corpus
from pipeline.media import read_frames
from pipeline.prepare.extract import decode_clip
from pipeline.prepare.manifest import ManifestRow
from pipeline.runtime.clock import FPS
from pipeline.runtime.errors import PipelineError
from tests.as_nobody import not_as_root
from tests.media.encode import click, encode, even_times, number_of
from tests.prepare.bad_media.film import film
from tests.prepare.bad_media.stages import TRAINING, lenient, run_stages

pytestmark = pytest.mark.slow


def test_unreadable_files(public: Path) -> None:
    """First as who may: it also imports what there is to import, since nobody may not even read the environment."""
    for name in "abcd":
        film(public / f"mine/videos/{name}.mp4")
    assert {row.status for row in _clips(public / "mine").values()} == {"ok"}
    shutil.move(public / "mine/videos", public / "videos")
    (public / f"videos/{TRAINING}.mp4").chmod(0)
    with not_as_root():
        rows = _clips(public)
    closed = rows.pop(f"{TRAINING}.mp4")
    assert (closed.status, closed.reason, closed.sha256) == ("rejected", "no permission to read the file", "")
    assert [row.status for row in rows.values()] == ["ok"] * 3


def _clips(folder: Path) -> dict[str, ManifestRow]:
    return dict(run_stages(folder / "videos", lenient(folder / "videos")).clips)


def test_an_unreadable_folder_is_named(public: Path) -> None:
    """Its files must not be ignored silently."""
    film(public / "videos/a.mp4")
    (public / "videos/closed").mkdir(mode=0)
    with (
        not_as_root(),
        pytest.raises(PipelineError, match=r"The folder .*videos/closed cannot be read \(permission denied\)\. Fix"),
    ):
        open_corpus(lenient(public / "videos"), public).clips()


def test_a_long_video_is_cut_and_read_near_its_end(tmp_path: Path) -> None:
    seconds, fps = 600, 1
    encode(
        tmp_path / "long.mkv",
        even_times(seconds * fps, fps),
        audio=click(seconds, seconds - 1.5, 8000),
        audio_rate=8000,
    )
    clips = open_corpus(lenient(tmp_path), tmp_path).clips()
    assert [(clip.start, clip.duration) for clip in clips[:-1]] == [(3.0 * n, 3.0) for n in range(seconds // 3 - 1)]
    assert [clip.id for clip in clips] == [f"long#{number:04d}" for number in range(seconds // 3)]
    last = clips[-1]
    row = decode_clip(last)
    assert (row["frames"], row["error"], row["damaged"]) == (75, "", 0)
    assert int(abs(row["samples"].astype(int)).argmax()) == pytest.approx(1.5 * 16000, abs=16)
    shown = [number_of(frame) for frame in read_frames(last.path, start=last.start)]
    assert shown == [(seconds - 3 + tick // FPS) % 256 for tick in range(75)]
