from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.evaluation.baselines.base import Generated, NotGenerated, TestClip
from pipeline.evaluation.evaluate import Outputs, choose_clips, clips_to_show, measure_clip
from pipeline.evaluation.pictures import strip, write_video
from pipeline.evaluation.tables import tabulate
from pipeline.faces.align import align
from pipeline.faces.crop import crop_face, onto_crop
from pipeline.faces.detect import detect_faces
from pipeline.faces.shape_predictor import predict_landmarks
from pipeline.inference.compositing.panels import LABEL_HEIGHT, PANEL, draw_landmarks
from pipeline.media import read_frames
from pipeline.metrics import METRICS
from pipeline.metrics.observe import find_landmarks
from tests.media.pictures import picture_size

Image = NDArray[np.uint8]


@pytest.fixture(scope="module")
def crop(photograph: Image) -> Image:
    return crop_of(photograph, 128)


def crop_of(photograph: Image, size: int) -> Image:
    points = predict_landmarks([photograph], detect_faces(photograph, 1)[:1])[0]
    return crop_face(photograph, onto_crop(align(points[None], per_frame=True, smoothing=0), size)[0], size)


@pytest.mark.parametrize("size", [128, 256])
def test_videos_have_the_same_size_for_all_crops(photograph: Image, tmp_path: Path, size: int) -> None:
    frames = np.stack([crop_of(photograph, size)] * 3)
    points = np.full((3, 68, 2), size / 2, np.float32)
    clip = TestClip("a", "s", frames, points, np.zeros((3, 28, 12), np.float32))
    painted = Generated(frames, points, np.ones((3, size, size), np.float32))
    write_video(tmp_path / "a.mp4", clip, painted, np.zeros(1920, np.int16))
    assert picture_size(tmp_path / "a.mp4") == (4 * PANEL, PANEL + LABEL_HEIGHT)
    coloured = replace(painted, colour_THWC=np.full((3, size, size, 3), (255, 0, 0), np.uint8))
    write_video(tmp_path / "b.mp4", clip, coloured, np.zeros(1920, np.int16))
    (*_, last) = read_frames(tmp_path / "b.mp4")
    assert last.shape == (PANEL + LABEL_HEIGHT, 5 * PANEL, 3)
    red, green, _ = last[LABEL_HEIGHT + 8 : -8, 3 * PANEL + 8 : 4 * PANEL - 8].mean(axis=(0, 1))
    assert red > 240
    assert green < 15


def test_worst_best_and_median_clips_are_shown() -> None:
    """Before others, and never twice."""
    ids = list("abcdefg")
    rows = [{"id": one, "speaker": "s", "method": "at_vg", "lmd": abs(n - 2.2)} for n, one in enumerate(ids)]
    table = tabulate(rows)
    assert clips_to_show(table, ids, 3) == ["g", "c", "e"]
    assert clips_to_show(table, ids, 1) == ["g"]
    assert clips_to_show(table, ids, 0) == []
    assert clips_to_show(table, ids, 4) == ["g", "c", "e", "a"]
    assert sorted(clips_to_show(table, ids, 99)) == ids
    assert clips_to_show(table.assign(lmd=np.nan), ids, 2) == ["a", "d"]
    assert clips_to_show(table[:1], ["a"], 4) == ["a"]


def test_the_reference_frame_does_not_count(crop: Image) -> None:
    real = np.stack([crop] * 3)
    fake = real.copy()
    fake[0] = 0
    clip = TestClip("a", "s", real, np.stack([find_landmarks(real[:1])[0]] * 3), np.zeros((3, 28, 12), np.float32))
    (one,) = measure_clip(clip, {"static": Generated(fake)}, np.zeros(1920, np.int16))
    assert one.row["ssim"] == pytest.approx(1)


def test_predictions_are_measured_in_pixels_and_coefficients(photograph: Image) -> None:
    """At 256 pixels, half of the mouth's points are 4 px lower, and coefficients differ by 0.5."""
    real = np.stack([crop_of(photograph, 256)] * 3)
    points = (find_landmarks(real) + 0.5) * 2 - 0.5
    clip = TestClip("a", "s", real, points, np.zeros((3, 28, 12), np.float32))
    drawn = points.copy()
    drawn[:, 48:58, 1] += 4
    coefficients = np.stack([np.zeros((3, 6)), np.full((3, 6), 0.5)]).astype(np.float32)
    made: Outputs = {
        "a": Generated(real, drawn, coefficients_2TK=coefficients),
        "b": Generated(real, drawn),
        "c": NotGenerated("no reason"),
    }
    found = measure_clip(clip, made, np.zeros(1920, np.int16))
    a, b, c = (result.row for result in found)
    assert a["drawn_lmd"] == pytest.approx(1, abs=0.01)  # each of the twenty points 1 px from its place about the mean
    assert a["coefficient_mse"] == pytest.approx(0.25)
    assert "drawn_lmd" not in b
    assert found[1].absent["drawn_lmd"] == "no landmarks were predicted"
    assert c == {"id": "a", "speaker": "s", "seen": "", "method": "c"}
    assert found[2].absent == dict.fromkeys(METRICS, "no reason")


def test_clips_are_drawn_with_the_seed() -> None:
    ids = [f"c{number:02}" for number in range(20)]
    assert choose_clips(ids, 0, 0) == ids
    drawn = choose_clips(ids, 5, 0)
    assert drawn == sorted(drawn)
    assert drawn == choose_clips(ids, 5, 0)
    assert drawn != choose_clips(ids, 5, 1)


def test_landmarks_are_drawn_at_their_points() -> None:
    points = np.full((68, 2), 20.0)
    points[48:60] = np.array([(60 + 20 * np.cos(a), 90 + 8 * np.sin(a)) for a in np.linspace(0, 6, 12)])
    drawn = draw_landmarks(points, scale=2)
    assert drawn.shape == (256, 256, 3)
    assert drawn[160:200, 70:170].any()
    assert not drawn[200:].any()


def test_a_strip_shows_the_last_attention(crop: Image) -> None:
    """Even if the last method has none."""
    frames = np.stack([crop] * 9)
    clip = TestClip("a", "s", frames, np.zeros((9, 68, 2), np.float32), np.zeros((9, 28, 12), np.float32))
    painted = Generated(frames, clip.points_T68x2, np.ones((9, 128, 128), np.float32))
    rows = [strip(clip, made).shape[0] // (128 + LABEL_HEIGHT) for made in ({"a": painted, "b": Generated(frames)}, {})]
    assert rows == [4, 1]
