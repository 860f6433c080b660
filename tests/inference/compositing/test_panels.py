"""The panels, and the table of landmarks."""

import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]
from numpy.typing import NDArray

from pipeline.faces.detect import detect_faces
from pipeline.faces.shape_predictor import predict_landmarks
from pipeline.inference.compositing.panels import LABEL_HEIGHT, PANEL, enlarge, heat
from pipeline.inference.generator import Generator
from pipeline.inference.settings import Settings
from pipeline.inference.talking_head import TalkingHead
from pipeline.inference.video import generate_video
from pipeline.media import read_frames
from pipeline.runtime.clock import RATE, SAMPLES_PER_FRAME
from pipeline.runtime.errors import PipelineError


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shown", "size"),
    [
        (Settings(blink=False), (360, 288)),
        (Settings(blink=False, sway=True), (360, 288)),
        (Settings(blink=False, crop=True), (128, 128)),
        (Settings(blink=False, panels=True), (4 * PANEL, PANEL + LABEL_HEIGHT)),
    ],
)
def test_the_table_has_the_landmarks_of_the_video(
    shipped: TalkingHead,
    face_file: Path,
    sentence: NDArray[np.int16],
    tmp_path: Path,
    shown: Settings,
    size: tuple[int, int],
) -> None:
    """For every view, compared with dlib's landmarks."""
    speech, out, table = (tmp_path / name for name in ("speech.wav", "out.mp4", "points.csv"))
    soundfile.write(speech, sentence[: 32 * SAMPLES_PER_FRAME], RATE)
    assert generate_video(shipped, face_file, speech, out, shown, landmarks=table)[:2] == (32, size)
    with table.open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == [
        "frame",
        "timestamp",
        *(f"x_{point}" for point in range(68)),
        *(f"y_{point}" for point in range(68)),
    ]
    assert len(rows) == 32
    assert [rows[0][:2], rows[31][:2]] == [["1", "0.00"], ["32", "1.24"]]
    frames = list(read_frames(out))
    for number in (0, 15, 30):
        frame = frames[number]
        face = frame[LABEL_HEIGHT:, 3 * PANEL :] if shown.panels else frame
        (found,) = predict_landmarks([face], detect_faces(face)[:1])
        written = np.array(rows[number][2:], float).reshape(2, 68).T - (
            (3 * PANEL, LABEL_HEIGHT) if shown.panels else 0
        )
        assert np.abs(written - found).mean() < 0.012 * face.shape[0]


def test_each_panel_shows_its_content(shipped: TalkingHead, face_file: Path, sentence: NDArray[np.int16]) -> None:
    generator = Generator(shipped, face_file, Settings(panels=True, blink=False))
    painted = list(generator.speak([sentence]))[1]
    frame = list(generator.view.frames([painted]))[14][LABEL_HEIGHT:]
    lines, *others = (frame[:, at : at + PANEL] for at in range(0, 4 * PANEL, PANEL))
    assert 0.01 < (lines.mean(axis=2) > 128).mean() < 0.1  # white on black
    made = heat(painted.attention_THW[14]), painted.colour_THWC[14], painted.frames_THWC[14]
    for panel, picture in zip(others, made, strict=True):
        np.testing.assert_array_equal(panel, enlarge(picture))


def test_the_table_replaces_no_file(shipped: TalkingHead, face_file: Path, speech_file: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("mine")
    for name, message in (
        ("points.txt", r"points\.txt is not a \.csv file\. Give the output a name that ends in \.csv\."),
        ("mine.csv", r"mine\.csv is there already\. Give the output another name, or --overwrite\."),
        (
            "mine.csv/points.csv",
            r"points\.csv cannot be written: .*\. Give",
        ),
    ):
        with pytest.raises(PipelineError, match=message):
            generate_video(shipped, face_file, speech_file, tmp_path / "out.mp4", landmarks=tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.csv"]
