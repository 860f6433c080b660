"""Fetch GRID, from the first request to the corpus's clips."""

import fcntl
import hashlib
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.corpora.base import Clip, Opening
from pipeline.corpora.download.grid import fetch_grid
from pipeline.corpora.download.web import Retries
from pipeline.corpora.grid import Grid, GridParams
from pipeline.runtime.errors import PipelineError
from tests.as_nobody import not_as_root
from tests.corpora.download.conftest import CLIPS, WORDS, zipped
from tests.corpora.download.server import Zenodo, breaks_off, sends, serve, status
from tests.media.pictures import count_frames


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "raw/grid"


def clips(folder: Path) -> list[Clip]:
    return Grid(GridParams(), Opening(folder, "corpora.grid")).clips()


def fetch(folder: Path, speakers: list[str], zenodo: Zenodo, retries: Retries) -> list[str]:
    said: list[str] = []
    fetch_grid(folder, speakers, zenodo.record, retries, said.append)
    return said


def below(folder: Path) -> set[str]:
    return {one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file()}


def test_two_speakers(zenodo: Zenodo, retries: Retries, folder: Path, videos: dict[str, bytes]) -> None:
    said = fetch(folder, ["s1", "s29"], zenodo, retries)
    assert said == ["s1: 4 clips, all with text", "s29: 2 clips, all with text"]
    found = clips(folder)
    assert Counter(clip.speaker for clip in found) == {"s1": 4, "s29": 2}
    for clip in found:
        assert clip.text == "bin blue"
        assert clip.path.read_bytes() == videos[clip.path.stem]
        assert count_frames(clip.path) == 4 + sorted(videos).index(clip.path.stem)
    assert below(folder) == {
        *(f"{speaker}/{name}.mpg" for speaker in ("s1", "s29") for name in CLIPS[speaker]),
        *(f"alignments/{speaker}/{name}.align" for speaker in ("s1", "s29") for name in CLIPS[speaker]),
        *(f".fetch/{speaker}{what}.json" for speaker in ("s1", "s29") for what in ("", ".alignments")),
        ".fetch/lock",
    }
    assert sorted(zenodo.requests) == [("alignments.zip", ""), ("record", ""), ("s1.zip", ""), ("s29.zip", "")]


def test_all_speakers(zenodo: Zenodo, retries: Retries, folder: Path) -> None:
    said = fetch(folder, [], zenodo, retries)
    assert [line.split(":")[0] for line in said] == ["s1", "s5", "s6", "s29"]
    assert len(clips(folder)) == 12
    assert not {"audio_25k.zip", "jasagrid.pdf"} & {name for name, _ in zenodo.requests}


def test_a_second_call_downloads_nothing(zenodo: Zenodo, retries: Retries, folder: Path) -> None:
    first = fetch(folder, [], zenodo, retries)
    times = {path: (folder / path).stat().st_mtime_ns for path in below(folder) if path != ".fetch/lock"}
    zenodo.requests.clear()
    assert fetch(folder, ["s29", "s1", "s29"], zenodo, retries) == [first[3], first[0]]
    assert zenodo.requests == []
    assert fetch(folder, [], zenodo, retries) == first
    assert zenodo.requests == [("record", "")]
    assert {path: (folder / path).stat().st_mtime_ns for path in times} == times


@pytest.mark.parametrize(
    ("harm", "again"),
    [
        (lambda folder: (folder / "s1/bbaf2n.mpg").unlink(), ["s1.zip"]),
        (lambda folder: (folder / "s1/bbaf2n.mpg").write_bytes(b"torn"), ["s1.zip"]),
        (lambda folder: shutil.rmtree(folder / "alignments/s1"), ["alignments.zip"]),
        (lambda folder: (folder / ".fetch/s1.json").write_text("[half"), ["s1.zip"]),
        (lambda folder: shutil.rmtree(folder / ".fetch"), ["s1.zip", "alignments.zip"]),
    ],
)
def test_only_missing_files_are_downloaded(
    zenodo: Zenodo,
    retries: Retries,
    folder: Path,
    videos: dict[str, bytes],
    harm: Callable[[Path], None],
    again: list[str],
) -> None:
    fetch(folder, ["s1", "s29"], zenodo, retries)
    whole = below(folder)
    harm(folder)
    zenodo.requests.clear()
    fetch(folder, ["s1"], zenodo, retries)
    assert [name for name, _ in zenodo.requests] == ["record", *again]
    assert whole - below(folder) <= {".fetch/s29.json", ".fetch/s29.alignments.json"}
    assert (folder / "s1/bbaf2n.mpg").read_bytes() == videos["bbaf2n"]


def test_another_speaker_later(zenodo: Zenodo, retries: Retries, folder: Path) -> None:
    fetch(folder, ["s1"], zenodo, retries)
    zenodo.requests.clear()
    fetch(folder, ["s1", "s6"], zenodo, retries)
    assert [name for name, _ in zenodo.requests] == ["record", "s6.zip", "alignments.zip"]
    assert {clip.speaker for clip in clips(folder)} == {"s1", "s6"}


def test_alignments_in_the_wrong_folder_are_assigned_to_their_speaker(
    zenodo: Zenodo, retries: Retries, folder: Path
) -> None:
    fetch(folder, ["s5", "s6"], zenodo, retries)
    for speaker in ("s5", "s6"):
        assert below(folder / "alignments" / speaker) == {f"{name}.align" for name in CLIPS[speaker]}


def test_archives_without_folders(zenodo: Zenodo, retries: Retries, folder: Path, videos: dict[str, bytes]) -> None:
    zenodo.files["s1.zip"] = zipped({f"{name}.mpg": videos[name] for name in CLIPS["s1"]})
    zenodo.files["alignments.zip"] = zipped({f"s1/{name}.align": WORDS.encode() for name in CLIPS["s1"]})
    fetch(folder, ["s1"], zenodo, retries)
    assert {clip.id: clip.text for clip in clips(folder)} == {f"s1/{name}": "bin blue" for name in CLIPS["s1"]}


def test_missing_alignments_are_reported(zenodo: Zenodo, retries: Retries, folder: Path) -> None:
    zenodo.files["alignments.zip"] = zipped(
        {f"alignments/s1/{name}.align": b"" for name in CLIPS["s1"][1:]} | {"alignments/s2/bgiq6p.align": b""}
    )
    assert fetch(folder, ["s1", "s5"], zenodo, retries) == [
        "s1: 4 clips, 1 of them without alignment",
        "s5: 3 clips, 3 of them without alignment",
    ]


def test_a_wrong_checksum_unpacks_nothing(zenodo: Zenodo, retries: Retries, folder: Path) -> None:
    zenodo.lies["s1.zip"]["checksum"] = f"md5:{hashlib.md5(b'other').hexdigest()}"
    with pytest.raises(PipelineError, match=r"s1\.zip: the checksum is md5:.*nothing was unpacked"):
        fetch(folder, ["s1"], zenodo, retries)
    assert below(folder) == {".fetch/lock"}
    zenodo.lies.clear()
    fetch(folder, ["s1"], zenodo, retries)
    assert len(clips(folder)) == 4


def test_a_refused_archive_leaves_the_others(zenodo: Zenodo, retries: Retries, folder: Path) -> None:
    good = zenodo.files["s29.zip"]
    zenodo.files["s29.zip"] = zipped({"../../evil.mpg": b"x"})
    with pytest.raises(PipelineError, match=r"s29\.zip is refused: the name '\.\./\.\./evil\.mpg' leads outside"):
        fetch(folder, ["s1", "s29"], zenodo, retries)
    assert {clip.speaker for clip in clips(folder)} == {"s1"}
    assert not (folder / "s29").exists()
    zenodo.files["s29.zip"] = good
    zenodo.requests.clear()
    fetch(folder, ["s1", "s29"], zenodo, retries)
    assert [name for name, _ in zenodo.requests] == ["record", "s29.zip"]  # the alignments are there still


def test_an_archive_without_videos(zenodo: Zenodo, retries: Retries, folder: Path) -> None:
    zenodo.files["s1.zip"] = zipped({"s1/notes.txt": b"x"})
    with pytest.raises(PipelineError, match=r"s1\.zip is refused: it has no \.mpg\."):
        fetch(folder, ["s1"], zenodo, retries)


def test_an_interrupted_download_continues(zenodo: Zenodo, retries: Retries, folder: Path) -> None:
    zenodo.acts["s29.zip"] = [breaks_off(9000), status(503)]
    with pytest.raises(PipelineError, match=r"s29\.zip/content is refused: 503"):
        fetch(folder, ["s1", "s29"], zenodo, retries)
    assert {clip.speaker for clip in clips(folder)} == {"s1"}
    zenodo.acts.clear()
    zenodo.requests.clear()
    fetch(folder, ["s1", "s29"], zenodo, retries)
    assert zenodo.requests == [("record", ""), ("s29.zip", "bytes=9000-")]
    assert len(clips(folder)) == 6


def test_killed_while_unpacking(zenodo: Zenodo, retries: Retries, folder: Path, videos: dict[str, bytes]) -> None:
    (folder / ".fetch").mkdir(parents=True)
    (folder / "s1").mkdir()
    (folder / ".fetch/s1.zip.part").write_bytes(zenodo.files["s1.zip"])
    (folder / "s1/bbaf2n.mpg").write_bytes(videos["bbaf2n"])
    (folder / "s1/.bbaf3s.mpg.tmp").write_bytes(videos["bbaf3s"][:100])
    fetch(folder, ["s1"], zenodo, retries)
    assert zenodo.asked("s1.zip") == []
    assert {clip.path.read_bytes() for clip in clips(folder)} == {videos[name] for name in CLIPS["s1"]}
    assert not list((folder / "s1").glob(".*"))


@pytest.mark.parametrize("unknown", ["s21", "1", "", "S1", "../s1"])
def test_an_unknown_speaker(zenodo: Zenodo, retries: Retries, folder: Path, unknown: str) -> None:
    with pytest.raises(PipelineError, match=rf"--speakers: .* has no '{unknown}'\. It has s1, s5, s6, s29\."):
        fetch(folder, ["s1", unknown], zenodo, retries)
    assert not folder.exists()


def test_another_record(zenodo: Zenodo, retries: Retries, folder: Path) -> None:
    del zenodo.files["alignments.zip"]
    with pytest.raises(PipelineError, match=r"is not GRID: it has no s1\.zip, or no alignments\.zip"):
        fetch(folder, [], zenodo, retries)


def test_free_space_is_checked_first(
    zenodo: Zenodo, retries: Retries, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zenodo.lies["s1.zip"]["size"] = 10**18
    with pytest.raises(PipelineError, match=r"grid: fetching 2 archives needs .* are missing\. Free some"):
        fetch(folder, ["s1"], zenodo, retries)
    assert [name for name, _ in zenodo.requests] == ["record"]
    zenodo.lies.clear()
    archives = [len(zenodo.files["s1.zip"]), len(zenodo.files["alignments.zip"])]
    room = round(1.1 * sum(archives)) + max(archives)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=room - 1))
    with pytest.raises(PipelineError, match="are missing"):
        fetch(folder, ["s1"], zenodo, retries)
    (folder / ".fetch/s1.zip.part").write_bytes(zenodo.files["s1.zip"][:1])  # what is there needs no room
    fetch(folder, ["s1"], zenodo, retries)


def test_an_unwritable_target(zenodo: Zenodo, retries: Retries, folder: Path) -> None:
    folder.parent.mkdir()
    folder.write_text("a file in the folder's place")
    with pytest.raises(PipelineError, match=r"grid.* cannot be written: Not a directory\. .*another folder \(--to\)"):
        fetch(folder, ["s1"], zenodo, retries)


def test_a_target_without_rights(zenodo: Zenodo, retries: Retries, public: Path) -> None:
    fetch(public / "first", ["s1"], zenodo, retries)  # imports what there is to import
    (public / "closed").mkdir(mode=0o500)
    refusal = r"cannot be written: Permission denied\. Fix that, or take another"
    with not_as_root(), pytest.raises(PipelineError, match=refusal):
        fetch(public / "closed", ["s1"], zenodo, retries)


def test_a_disk_that_fills_while_unpacking(zenodo: Zenodo, retries: Retries, folder: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    (folder / "s1").mkdir(parents=True)
    (folder / "s1/.bbaf3s.mpg.tmp").symlink_to("/dev/full")
    with pytest.raises(PipelineError, match=r"cannot be written: No space left on device\. Free some space, then run"):
        fetch(folder, ["s1"], zenodo, retries)
    fetch(folder, ["s1"], zenodo, retries)
    assert zenodo.asked("s1.zip") == [""]
    assert len(clips(folder)) == 4


def test_one_at_a_time(zenodo: Zenodo, retries: Retries, folder: Path) -> None:
    (folder / ".fetch").mkdir(parents=True)
    with (folder / ".fetch/lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(PipelineError, match=r"Another atvgnet fetch is at work in .*raw/grid\. Wait for it"):
            fetch(folder, ["s1"], zenodo, retries)
    fetch(folder, ["s1"], zenodo, retries)


def test_a_login_page_costs_nothing(zenodo: Zenodo, retries: Retries, folder: Path) -> None:
    page = sends(lambda _: b"<html>room number?", Content_Type="text/html")
    zenodo.acts["s1.zip"] = [breaks_off(9000), page, serve]
    with pytest.raises(PipelineError, match="Does the network want a login first"):
        fetch(folder, ["s1"], zenodo, retries)
    fetch(folder, ["s1"], zenodo, retries)
    assert zenodo.asked("s1.zip") == ["", "bytes=9000-", "bytes=9000-"]
