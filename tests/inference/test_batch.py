"""Batches: a row that fails does not stop the others, finished rows are skipped, and the results are written."""

import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile  # type: ignore[import-untyped]
from numpy.typing import NDArray

from pipeline.inference.batch import check_table, generate_batch, parse_cell, results_of
from pipeline.inference.settings import Settings
from pipeline.inference.talking_head import TalkingHead
from pipeline.runtime.errors import PipelineError
from tests.media.pictures import count_frames, picture_size

ROWS = """picture,speech,out,crop,strength,face
face.jpg,speech.wav,one.mp4,yes,,
speech.wav,speech.wav,bad.mp4,,,
face.jpg,speech.wav,two.mp4,,1.3,left
face.jpg,speech.wav,wrong.mp4,perhaps,,
face.jpg,,empty.mp4,,,
"""


@pytest.fixture
def table(tmp_path: Path, face_file: Path, sentence: NDArray[np.int16]) -> Path:
    shutil.copy(face_file, tmp_path)
    soundfile.write(tmp_path / "speech.wav", sentence[4000:9120], 16000)  # 8 frames
    (tmp_path / "jobs.csv").write_text(ROWS)
    return tmp_path / "jobs.csv"


@pytest.mark.slow
def test_rows_are_generated_side_by_side(shipped: TalkingHead, table: Path) -> None:
    reported: list[tuple[int, int]] = []
    outcomes = generate_batch(shipped, table, 2, on_progress=lambda done, total: reported.append((done, total)))
    assert [outcome.state for outcome in outcomes] == ["done", "failed", "done", "failed", "failed"]
    assert reported == [(done, 5) for done in range(6)]
    results = pd.read_csv(results_of(table), keep_default_na=False)
    assert list(results) == [*pd.read_csv(table), "state", "message", "frames", "seconds", "times_real_time"]
    assert list(results["frames"]) == [8, 0, 8, 0, 0]
    messages = dict(zip(results["out"], results["message"], strict=True))
    assert "speech.wav is neither a picture nor a video that can be read" in messages["bad.mp4"]
    assert messages["wrong.mp4"] == "The column crop is wrong: 'perhaps' is neither true nor false."
    assert messages["empty.mp4"] == "The column speech names no file. Fill it in."
    assert picture_size(table.with_name("one.mp4")) == (128, 128)
    assert count_frames(table.with_name("two.mp4")) == 8

    before = {name: table.with_name(name).stat().st_mtime_ns for name in ("one.mp4", "two.mp4")}
    table.write_text(ROWS.replace("perhaps", "no"))
    table.with_name("two.mp4").unlink()
    again = generate_batch(shipped, table, 1)
    assert [outcome.state for outcome in again] == ["done", "failed", "done", "done", "failed"]
    assert again[0] == outcomes[0]
    assert table.with_name("one.mp4").stat().st_mtime_ns == before["one.mp4"]
    assert table.with_name("two.mp4").exists()


@pytest.mark.slow
def test_an_interrupted_batch_leaves_only_whole_videos(shipped: TalkingHead, table: Path) -> None:
    """Running rows are abandoned, and the next call continues."""
    table.write_text("picture,speech,out\n" + "".join(f"face.jpg,speech.wav,{number}.mp4\n" for number in range(5)))

    def end(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate_batch(shipped, table, 2, on_progress=end)
    videos = sorted(path.name for path in table.parent.glob("*.mp4"))
    assert not list(table.parent.glob(".*"))
    assert len(videos) < 5
    for name in videos:
        assert count_frames(table.with_name(name)) == 8
    outcomes = generate_batch(shipped, table, 2, overwrite=True)
    assert [outcome.state for outcome in outcomes] == ["done"] * 5


def test_existing_files_are_not_replaced(shipped: TalkingHead, table: Path) -> None:
    table.write_text("picture,speech,out\nface.jpg,speech.wav,mine.mp4\n")
    table.with_name("mine.mp4").write_bytes(b"mine")
    (outcome,) = generate_batch(shipped, table, settings=Settings(crop=True))
    assert outcome.state == "failed"
    assert "mine.mp4 is there already" in outcome.message
    assert table.with_name("mine.mp4").read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"jobs\.csv does not exist\. Give --batch a CSV with picture, speech, out\."),
        (
            "picture,out\na,b\n",
            r"jobs\.csv has no column speech\. It has picture, out; give one with",
        ),
        (
            "picture,speech,out,colour\na,b,c,d\n",
            r"jobs\.csv has the column colour\. Those that may be are picture, .*seed",
        ),
        ("picture,speech,out\n", r"jobs\.csv has no rows\. Give one for each video\."),
        (
            "picture,speech,out\na,b,c\n./c,e,f\n",
            r"jobs\.csv has c as an output and as an input\. Give it another place\.",
        ),
        ("picture,speech,out\na,b,c\nd,e,./c\n", r"jobs\.csv has one output twice, \./c, c\. Give each row its own\."),
        ("picture,speech,out,out\na,b,c,d\n", r"jobs\.csv: the column out is there twice\."),
        ("", r"jobs\.csv has no column picture, speech, out\. It has "),
    ],
)
def test_wrong_tables_are_rejected(shipped: TalkingHead, table: Path, content: str | None, message: str) -> None:
    if content is None:
        table.unlink()
    else:
        table.write_text(content)
    with pytest.raises(PipelineError, match=message):
        generate_batch(shipped, table)


def test_rows_are_checked_before_the_networks_are_loaded(table: Path, caplog: pytest.LogCaptureFixture) -> None:
    check_table(table)
    wrong = "Row 4: The column crop is wrong: 'perhaps' is neither true nor false."
    assert caplog.messages == [f"{table}: 2 of 5 rows cannot be generated. {wrong}"]
    table.write_text("picture,speech,out\nnone.jpg,speech.wav,one.mp4\nface.jpg,none.wav,two.mp4\n")
    with pytest.raises(PipelineError, match=r"no row can be generated\. Row 1: .*none\.jpg does not exist\."):
        check_table(table)
    table.with_name("loop.jpg").symlink_to("loop.jpg")
    table.write_text("picture,speech,out\nloop.jpg,speech.wav,one.mp4\nface.jpg,speech.wav,two.mp4\n")
    caplog.clear()
    check_table(table)
    assert re.search(r"1 of 2 rows cannot be generated\. Row 1: .*loop\.jpg does not exist\.", caplog.text)


@pytest.mark.slow
def test_a_wrong_line_does_not_stop_the_others(shipped: TalkingHead, table: Path) -> None:
    """The table is as a German Excel writes it; the results are saved again by Excel."""
    content = (
        "sep=;\nPicture;Speech;Out;Seed;Strength;Face;Crop;;\nface.jpg;speech.wav;one.mp4;1,0;1,3;1.0;1,0;;\n"
        "face.jpg;speech.wav;two.mp4;;;;;;of three\n"
        "face.jpg;speech.wav;three.mp4;1,5;;;;;\nface.jpg;spee\0ch.wav;x.mp4\n"
    )
    table.write_text(content, encoding="utf-16")
    outcomes = generate_batch(shipped, table)
    assert [outcome.state for outcome in outcomes] == ["done", "failed", "failed", "failed"]
    assert outcomes[1].message == "Line 4 has more cells than columns. Quote cells that hold the separator."
    assert outcomes[2].message == "The column seed is wrong: '1,5' is not a whole number."
    assert outcomes[3].message == "Line 6 has a NUL byte. Write the line again."
    assert picture_size(table.with_name("one.mp4")) == (128, 128)

    saved = results_of(table).read_text(encoding="utf-8").replace(";", " ").replace(",", ";").replace(".", ",")
    results_of(table).write_text(saved.replace(",jpg", ".jpg").replace(",wav", ".wav").replace(",mp4", ".mp4"))
    table.write_text(content.replace("1,0", "1.0").replace("1,3", "1.3"))
    written = table.with_name("one.mp4").stat().st_mtime_ns
    generate_batch(shipped, table)
    assert table.with_name("one.mp4").stat().st_mtime_ns == written


@pytest.mark.parametrize(
    ("column", "cell", "value"),
    [
        ("seed", "1", 1), ("seed", "1.0", 1), ("seed", "7,0", 7), ("seed", str(2**60 + 1), 2**60 + 1),
        ("strength", "1,3", 1.3), ("strength", "1", 1.0),
        ("face", "2.0", 2), ("face", "2", 2), ("face", "LEFT", "left"),
        ("blink", "1.0", True), ("blink", "FALSE", False), ("crop", "0,0", False), ("head", "Yes", True),
    ],
)  # fmt: skip
def test_cells_of_spreadsheets_are_parsed(column: str, cell: str, value: object) -> None:
    assert parse_cell(column, cell) == value


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        ("seed", "1.5", "'1.5' is not a whole number"), ("seed", "inf", "'inf' is not a number"),
        ("strength", "nan", "'nan' is not a number"), ("strength", "a lot", "'a lot' is not a number"),
        ("crop", "2", "'2' is neither true nor false"),
    ],
)  # fmt: skip
def test_wrong_cells_are_rejected(column: str, cell: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_cell(column, cell)


@pytest.mark.slow
def test_overwrite_generates_again(shipped: TalkingHead, table: Path) -> None:
    """The table has a byte order mark and blanks, like a spreadsheet's."""
    table.write_text("\ufeffpicture, speech, out\nface.jpg, speech.wav, one.mp4\n", encoding="utf-8")
    generate_batch(shipped, table)
    assert picture_size(table.with_name("one.mp4")) == (360, 288)
    crop = Settings(crop=True)
    generate_batch(shipped, table, settings=crop)
    assert picture_size(table.with_name("one.mp4")) == (360, 288)
    generate_batch(shipped, table, settings=crop, overwrite=True)
    assert picture_size(table.with_name("one.mp4")) == (128, 128)


@pytest.mark.parametrize("content", ["mine\n1\n", "", "picture,speech,out\n"])
def test_another_file_in_place_of_the_results_is_rejected(shipped: TalkingHead, table: Path, content: str) -> None:
    results_of(table).write_text(content)
    with pytest.raises(PipelineError, match=r"jobs\.results\.csv is not a table of results\. Move it away\."):
        generate_batch(shipped, table)
