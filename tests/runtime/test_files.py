"""An output is told from an input whatever it is called."""

import os
from pathlib import Path

import pytest

from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import check_output, lies_in, link_target, refuse_input, replacing


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "a.mp4").write_text("mine")
    (tmp_path / "other.mp4").write_text("other")
    (tmp_path / "symbolic.mp4").symlink_to("clips/a.mp4")
    (tmp_path / "again.mp4").symlink_to("symbolic.mp4")
    os.link(tmp_path / "clips" / "a.mp4", tmp_path / "hard.mp4")
    (tmp_path / "linked").symlink_to("clips")
    (tmp_path / "nowhere.mp4").symlink_to("gone.mp4")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "name",
    [
        *("clips/a.mp4", "./clips/../clips/a.mp4", "symbolic.mp4", "again.mp4", "hard.mp4", "linked/a.mp4"),
        "{folder}/clips/a.mp4",
    ],
)
def test_the_same_file_by_any_name(folder: Path, name: str) -> None:
    output = name.format(folder=folder)
    for given in ("clips/a.mp4", "symbolic.mp4", folder / "hard.mp4"):
        with pytest.raises(PipelineError, match=r"The output .* is the input .*\. Give the output another place\."):
            refuse_input(output, "other.mp4", given)


@pytest.mark.parametrize("name", ["clips", "linked", "clips/new.mp4", "linked/new/deep.mp4", "linked/a.mp4"])
def test_folders_contain_their_files(folder: Path, name: str) -> None:
    with pytest.raises(PipelineError, match="lies in the input clips"):
        refuse_input(name, "clips")
    assert lies_in(folder / name, "linked")


@pytest.mark.parametrize("name", ["other.mp4", "new.mp4", "clips2/a.mp4", "nowhere.mp4", "clips.mp4"])
def test_other_files_are_no_input(folder: Path, name: str) -> None:
    refuse_input(name, "clips", "clips/a.mp4", "gone.mp4")


def test_a_link_to_itself_is_no_input(folder: Path) -> None:
    (folder / "loop").symlink_to("loop")
    refuse_input("loop", "clips")
    refuse_input("loop/new.mp4", "clips", "loop")


def test_names_in_another_case_on_a_disk_that_ignores_case(folder: Path) -> None:
    same = (folder / "CLIPS").exists()
    assert lies_in("CLIPS/A.mp4", "clips") == same


@pytest.mark.parametrize(
    ("name", "target"),
    [("again.mp4", "clips/a.mp4"), ("nowhere.mp4", "gone.mp4"), ("linked/a.mp4", "linked/a.mp4")],
)
def test_an_output_is_written_through_links(folder: Path, name: str, target: str) -> None:
    check_output(folder / name, ".mp4", True)
    with replacing(link_target(folder / name)) as unfinished:
        unfinished.write_text("new")
    assert (folder / target).read_text() == "new"
    assert (folder / name).is_symlink() == (name != target)


def test_a_link_into_a_missing_folder_is_checked(folder: Path) -> None:
    (folder / "far.mp4").symlink_to("other.mp4/far.mp4")
    with pytest.raises(PipelineError, match=r"cannot be written: .*other\.mp4 is not a folder"):
        check_output(folder / "far.mp4", ".mp4", False)


def test_files_are_replaced_completely_or_not_at_all(folder: Path) -> None:
    def stop() -> None:
        with replacing(folder / "other.mp4") as unfinished:
            unfinished.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop()
    assert (folder / "other.mp4").read_text() == "other"
    with replacing("other.mp4") as unfinished:
        unfinished.write_text("whole")
    assert (folder / "other.mp4").read_text() == "whole"
    assert not list(folder.glob(".*"))
