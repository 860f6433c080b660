"""Every clip has a row, and every bad clip a reason; the bytes depend on the clips alone."""

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from pipeline.config.params import Extract, Params
from pipeline.corpora.base import Corpus
from pipeline.corpora.folder import FolderParams
from pipeline.corpora.grid import GridParams
from pipeline.corpora.lrw import LrwParams
from pipeline.corpora.registry import open_corpus
from pipeline.media import read_audio
from pipeline.prepare.extract import extract
from pipeline.prepare.manifest import ManifestRow, read_manifest
from pipeline.runtime.errors import PipelineError
from pipeline.shards.read import MANIFEST, ShardReader
from tests.media.encode import click, encode, even_times

SETTINGS = Extract(min_frames=20, max_lost=0.2, shard_clips=4)


def grid(root: Path) -> Corpus:
    settings = GridParams(root=str(root), val=0.2, test=0.2)
    return open_corpus(Params(corpus="grid", corpora={"grid": asdict(settings)}), root)


def clip(path: Path, frames: int = 40, **how: object) -> Path:
    """A GRID-like clip with sound."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sound = {"audio": np.full(frames * 1764, 4000, np.int16), "audio_codec": "mp2", "audio_rate": 44100}
    picture = {"codec": "mpeg1video", "time_base": Fraction(1, 25)}
    times = how.pop("times", even_times(frames, 25))
    return encode(path, times, **{**picture, **sound, **how})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def ten_clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ten") / "grid"
    for number in range(10):
        clip(folder / f"s{number % 2 + 1}/c{number}.mpg")
    return folder


@pytest.fixture
def home(ten_clips: Path, tmp_path: Path) -> Path:
    return shutil.copytree(ten_clips, tmp_path / "grid")


def rows_of(root: Path, out: Path, settings: Extract = SETTINGS, jobs: int = 1) -> dict[str, ManifestRow]:
    return {row.id: row for row in extract(grid(root), settings, out, jobs)}


def digest(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def test_a_manifest_of_another_version_is_refused(home: Path, tmp_path: Path) -> None:
    """Also by the stage landmarks."""
    rows_of(home, tmp_path / "clips")
    table = pq.read_table(tmp_path / "clips" / MANIFEST)
    pq.write_table(table.replace_schema_metadata(None), tmp_path / "clips" / MANIFEST)
    with pytest.raises(PipelineError, match=r"clips was written by another version .* again with `dvc repro`"):
        read_manifest(tmp_path / "clips")
    with pytest.raises(PipelineError, match=r"none/manifest\.parquet is missing\. Run `dvc repro`"):
        read_manifest(tmp_path / "none")


def test_copies_are_in_one_split(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    root = tmp_path / "grid"
    for number in range(8):
        clip(root / f"s{number % 2 + 1}/c{number}.mpg", 40 + number)
    for copy in ("s1/d.mpg", "s2/e.mpg", "s1/f.mpg", "s2/video/c0.mpg"):
        (root / copy).parent.mkdir(exist_ok=True)
        shutil.copyfile(root / "s1/c0.mpg", root / copy)
    rows = rows_of(root, tmp_path / "clips")
    splits = {row.sha256: set[str]() for row in rows.values()}
    for row in rows.values():
        splits[row.sha256].add(row.split)
    assert {len(one) for one in splits.values()} == {1}
    assert {row.split for row in rows.values()} == {"train", "val", "test"}
    assert caplog.messages[0].startswith("4 clips are copies of others, such as s1/d of s1/c0.")


def test_good_clips(home: Path, tmp_path: Path) -> None:
    rows = rows_of(home, tmp_path / "clips")
    assert list(rows) == sorted(rows)
    assert read_manifest(tmp_path / "clips") == list(rows.values())
    row = rows["s1/c0"]
    assert (row.speaker, row.text, row.path, row.start) == ("s1", "", "s1/c0.mpg", 0.0)
    assert row.sha256 == hashlib.sha256((home / "s1/c0.mpg").read_bytes()).hexdigest()
    assert (row.fps, row.frames, row.duration) == (25.0, 40, 1.6)
    assert row.audio_offset == pytest.approx(0, abs=0.03)
    assert {(one.status, one.reason) for one in rows.values()} == {("ok", "")}
    reader = ShardReader(tmp_path / "clips", MANIFEST)
    for name in rows:
        samples = reader.read(name, "samples")
        assert samples.dtype == np.int16
        assert len(samples) == 40 * 640
    np.testing.assert_array_equal(reader.read("s1/c0", "samples"), read_audio(home / "s1/c0.mpg", duration=1.6))


def test_the_bytes_depend_on_the_clips_alone(home: Path, tmp_path: Path) -> None:
    rows_of(home, tmp_path / "one")
    rows_of(home, tmp_path / "two", jobs=2)
    shutil.copytree(home, tmp_path / "moved/elsewhere")
    rows_of(tmp_path / "moved/elsewhere", tmp_path / "three")
    assert digest(tmp_path / "one") == digest(tmp_path / "two") == digest(tmp_path / "three")


def test_only_changed_clips_are_decoded_again(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "clips"
    rows_of(home, out)
    clip(home / "s1/c0.mpg", 60)
    (home / "s2/c1.mpg").unlink()
    clip(home / "s2/new.mpg")
    rows_of(home, out)
    rows_of(home, tmp_path / "fresh")
    assert digest(out) == digest(tmp_path / "fresh")


def test_a_changed_min_frames_decodes_nothing(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "clips"
    rows_of(home, out)
    before = {path: path.stat().st_mtime_ns for path in out.glob("shard-*")}
    clip_count = len(rows_of(home, out, replace(SETTINGS, min_frames=40)))
    assert clip_count == 10
    assert before == {path: path.stat().st_mtime_ns for path in out.glob("shard-*")}


def damaged(path: Path) -> None:
    clip(path)
    content = bytearray(path.read_bytes())
    for at in range(3000, len(content) - 400, 4000):
        content[at : at + 400] = np.random.default_rng(at).integers(0, 256, 400, np.uint8).tobytes()
    path.write_bytes(content)


def sound_alone(path: Path) -> None:
    sound = encode(path.with_suffix(".ts"), [], audio=np.zeros(70000, np.int16), audio_codec="mp2", audio_rate=44100)
    sound.rename(path)


def joined(path: Path) -> None:
    """Two recordings of 40 frames, the second with a clock of its own."""
    path.write_bytes(clip(path).read_bytes() * 2)


def paused(path: Path) -> None:
    later = clip(path, times=[time + 100 for time in even_times(40, 25)], audio_start=100.0).read_bytes()
    path.write_bytes(clip(path).read_bytes() + later)


LENGTH = "sound and picture differ in length (length_difference beyond extract.max_length_difference = 0.5)"
BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "text renamed": (lambda path: path.write_text("no video"), "not a media file, or incomplete"),
    "zero bytes": (lambda path: path.touch(), "the file is empty (0 bytes)"),
    "broken link": (lambda path: path.symlink_to("nowhere"), "no such file"),
    "sound alone": (sound_alone, "no video stream"),
    "picture alone": (lambda path: clip(path, audio=None), "no audio stream"),
    "short": (lambda path: clip(path, 10), "too few frames at 25 fps (frames below extract.min_frames = 20)"),
    "little sound": (lambda path: clip(path, audio=np.full(40000, 99, np.int16)), LENGTH),
    "sound late": (lambda path: clip(path, audio=np.full(40000, 99, np.int16), audio_start=0.7), LENGTH),
    "sound goes on": (lambda path: clip(path, audio=np.full(100000, 99, np.int16)), LENGTH),
    "silent": (
        lambda path: clip(path, audio=np.zeros(70560, np.int16)),
        "the sound is too quiet (level below extract.min_level = -60)",
    ),
    "damaged": (damaged, "too many damaged frames (damaged beyond extract.max_damaged = 0.1)"),
    "joined": (joined, "timestamps restart within the clip"),
    "paused": (paused, "timestamps jump within the clip"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_clip_has_a_reason(home: Path, tmp_path: Path, kind: str) -> None:
    make, reason = BAD[kind]
    make(home / "s1/bad.mpg")
    rows = rows_of(home, tmp_path / "clips")
    assert len(rows) == 11
    assert rows["s1/bad"].status == "rejected"
    assert rows["s1/bad"].reason.startswith(reason)
    assert {row.status for name, row in rows.items() if name != "s1/bad"} == {"ok"}


def test_odd_clips_have_a_warning(home: Path, tmp_path: Path) -> None:
    clip(home / "s1/shorter.mpg", 38)
    clip(home / "s1/sound ends.mpg", audio=np.full(50000, 99, np.int16))
    clip(home / "s1/sound goes on.mpg", audio=np.full(80000, 99, np.int16))
    late = np.full(61740, 99, np.int16)
    clip(home / "s1/sound late.mpg", audio=late, audio_start=0.2)
    rows = rows_of(home, tmp_path / "clips")
    odd = {name: (row.status, row.reason) for name, row in rows.items() if row.reason}
    assert odd["s1/shorter"] == ("ok", "38 frames where 40 are usual")
    assert odd["s1/sound ends"][1].startswith("the sound ends 0.4")
    assert odd["s1/sound late"][1].startswith("the sound starts 0.")
    assert odd["s1/sound goes on"] == ("ok", "the sound goes on after the picture")
    assert len(odd) == 4


def test_warnings_about_the_sound_are_in_the_row(home: Path, tmp_path: Path) -> None:
    clip(home / "s1/early.mpg", times=[time + Fraction(12, 25) for time in even_times(40, 25)], audio_start=0.02)
    row = rows_of(home, tmp_path / "clips")["s1/early"]
    assert row.reason.startswith("the sound ends 0.4")
    assert "s of sound before the picture are left out" in row.reason


def test_a_joined_video(tmp_path: Path) -> None:
    """Clips on either side are good; a clip across the join is rejected."""
    (tmp_path / "videos").mkdir()
    videos = [clip(tmp_path / f"videos/{name}.ts", 75, audio=np.full(132300, 4000, np.int16)) for name in "abc"]
    videos[0].write_bytes(videos[0].read_bytes() * 2)
    for seconds, status in ((3.0, ["ok", "ok"]), (2.0, ["ok", "rejected", "ok"])):
        params = FolderParams(root="videos", clip_seconds=seconds, val=0.34, test=0.33)
        corpus = open_corpus(Params(corpus="folder", corpora={"folder": asdict(params)}), tmp_path)
        rows = [
            row for row in extract(corpus, replace(SETTINGS, max_lost=0.5), tmp_path / "clips", 1) if row.path == "a.ts"
        ]
        assert [row.status for row in rows] == status
        assert {row.frames for row in rows} == {round(seconds * 25)}
        assert all(row.reason.startswith("timestamps restart") for row in rows)


def test_delayed_sound_is_aligned_with_the_picture(home: Path, tmp_path: Path) -> None:
    """The click is at 1 s of the sound, which starts 200 ms after the picture, so it belongs to frame 30."""
    late: dict[str, Any] = {"audio": click(1.4, 1.0, 44100), "audio_codec": "aac", "audio_start": 0.2}
    clip(home / "s1/late.mp4", codec="libx264", time_base=Fraction(1, 90000), **late)
    row = rows_of(home, tmp_path / "clips")["s1/late"]
    assert row.audio_offset == pytest.approx(0.2, abs=0.03)
    samples: NDArray[np.int16] = ShardReader(tmp_path / "clips", MANIFEST).read("s1/late", "samples")
    assert np.abs(samples.astype(int)).argmax() == pytest.approx(1.2 * 16000, abs=16)


def test_too_many_losses_stop_the_stage(home: Path, tmp_path: Path) -> None:
    for number in range(3):
        (home / f"s1/empty{number}.mpg").touch()
        clip(home / f"s1/mute{number}.mpg", audio=None)
    (home / "s1/text.mpg").write_text("x" * 100)
    with pytest.raises(PipelineError) as caught:
        rows_of(home, tmp_path / "clips")
    assert "7 of 17 clips are rejected, more than extract.max_lost = 0.2 allows" in str(caught.value)
    assert "3 x the file is empty (0 bytes) (such as s1/empty0)" in str(caught.value)
    assert "3 x no audio stream (such as s1/mute0)" in str(caught.value)


def test_a_split_without_good_clips_stops_the_stage(home: Path, tmp_path: Path) -> None:
    for one in grid(home).clips():
        if one.split == "val":
            one.path.write_bytes(b"")
    with pytest.raises(PipelineError, match="The split val has no good clip left"):
        rows_of(home, tmp_path / "clips", replace(SETTINGS, max_lost=1.0))


def test_one_long_video_is_cut(tmp_path: Path) -> None:
    ramp = (np.arange(44100 * 20) % 30000).astype(np.int16)
    clip(tmp_path / "videos/mein Vortrag.mp4", 500, codec="libx264", audio=ramp, audio_codec="aac")
    settings = Params(corpus="folder", corpora={"folder": asdict(FolderParams(root="videos", clip_seconds=3.0))})
    corpus = open_corpus(settings, tmp_path)
    rows = extract(corpus, SETTINGS, tmp_path / "clips", 2)
    assert [row.frames for row in rows] == [75] * 6 + [50]
    assert [row.start for row in rows] == [3.0 * number for number in range(7)]
    assert {row.path for row in rows} == {"mein Vortrag.mp4"}
    reader = ShardReader(tmp_path / "clips", MANIFEST)
    whole = read_audio(tmp_path / "videos/mein Vortrag.mp4", duration=20.0).astype(int)
    joined = np.concatenate([reader.read(row.id, "samples") for row in rows])
    assert len(joined) == 320000
    assert np.corrcoef(joined, whole)[0, 1] > 0.99


def test_real_grid(corpora: Path, tmp_path: Path) -> None:
    for speaker in ("s2", "s31"):
        (tmp_path / "grid" / speaker).mkdir(parents=True)
        for path in (corpora / "grid" / speaker).iterdir():
            (tmp_path / "grid" / speaker / path.name).symlink_to(path)
    (tmp_path / "grid/s1").mkdir()
    for name in ("sgib8n", "lrae3s", "sbbbzp", *(path.stem for path in sorted((corpora / "grid/s1").iterdir())[:20])):
        (tmp_path / f"grid/s1/{name}.mpg").symlink_to(corpora / f"grid/s1/{name}.mpg")
    rows = rows_of(tmp_path / "grid", tmp_path / "clips", jobs=2)
    assert {name: row.reason for name, row in rows.items() if row.reason} == {
        "s1/lrae3s": "74 frames where 75 are usual",
        "s1/sbbbzp": "74 frames where 75 are usual",
        "s1/sgib8n": "damaged: 1 frame concealed",
    }
    assert {row.status for row in rows.values()} == {"ok"}


def test_real_words(corpora: Path, tmp_path: Path) -> None:
    settings = Params(corpus="lrw", corpora={"lrw": asdict(LrwParams(root=str(corpora / "lrw_like")))})
    rows = extract(open_corpus(settings, tmp_path), SETTINGS, tmp_path / "clips", 2)
    assert len(rows) == 33
    assert {(row.frames, row.fps, row.status, row.reason) for row in rows} == {(29, 25.0, "ok", "")}
