import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from pipeline.evaluation.baselines.base import Generated, TestClip
from pipeline.evaluation.evaluate import choose_clips, write_tables
from pipeline.evaluation.measure import compare, find_landmarks, summarize
from pipeline.evaluation.metrics.psnr import CAP_DB
from pipeline.evaluation.pictures import LABEL_HEIGHT, PANEL, draw_landmarks, metrics_figure, strip, write_video
from pipeline.evaluation.registry import METRICS
from pipeline.faces.align import align
from pipeline.faces.crop import crop_face, onto_crop
from pipeline.faces.detect import detect_faces
from pipeline.faces.shape_predictor import predict_landmarks
from pipeline.media import probe

Image = NDArray[np.uint8]


@pytest.fixture(scope="module")
def crop(photograph: Image) -> Image:
    return crop_of(photograph, 128)


def crop_of(photograph: Image, size: int) -> Image:
    points = predict_landmarks([photograph], detect_faces(photograph, 1)[:1])[0]
    return crop_face(photograph, onto_crop(align(points[None], per_frame=True, smoothing=0), size)[0], size)


def test_landmarks_are_found_in_crops_and_not_elsewhere(crop: Image) -> None:
    points = find_landmarks(np.stack([crop, np.zeros_like(crop)]))
    assert np.isfinite(points[0]).all()
    assert np.isnan(points[1]).all()


def test_distances_are_those_of_a_face_of_128_whatever_the_size(photograph: Image) -> None:
    """Between the same two pictures: the face, and the face with its lower half moved down."""
    distances = []
    for size in (128, 256):
        real = crop_of(photograph, size)
        fake = real.copy()
        fake[size // 2 + size // 16 :] = real[size // 2 : -size // 16]
        points = find_landmarks(np.stack([real, fake]))
        assert 60 < np.ptp(points[0, :, 0]) < 128
        pair = np.repeat(points, 2, axis=0)  # the first frame is the reference, and does not count
        distances.append(compare(np.stack([real] * 2), np.stack([fake] * 2), pair[:2], pair[2:]))
    small, large = distances
    assert small["f_lmd"] > 1
    assert large["f_lmd"] == pytest.approx(small["f_lmd"], rel=0.2)
    assert large["psnr"] == pytest.approx(small["psnr"], abs=1)
    assert large["lost"] == 0


@pytest.mark.parametrize("size", [128, 256])
def test_videos_are_as_large_whatever_the_size(photograph: Image, tmp_path: Path, size: int) -> None:
    frames = np.stack([crop_of(photograph, size)] * 3)
    points = np.full((3, 68, 2), size / 2, np.float32)
    clip = TestClip("a", "s", frames, points, np.zeros((3, 28, 12), np.float32))
    painted = Generated(frames, points, np.ones((3, size, size), np.float32))
    write_video(tmp_path / "a.mp4", clip, painted, np.zeros(1920, np.int16))
    info = probe(tmp_path / "a.mp4")
    assert (info.width, info.height) == (4 * PANEL, PANEL + LABEL_HEIGHT)


def test_a_perfect_copy_and_a_grey_one(crop: Image) -> None:
    real = np.stack([crop] * 3)
    points = find_landmarks(real)
    same = compare(real, real, points, points)
    assert same["ssim"] == pytest.approx(1)
    assert same["lmd"] == 0
    assert same["lost"] == 0
    grey = np.full_like(real, 127)
    worse = compare(real, grey, points, find_landmarks(grey))
    assert worse["lost"] == 1
    assert np.isnan(worse["lmd"])
    assert worse["psnr"] < 20


def test_the_reference_frame_does_not_count(crop: Image) -> None:
    real = np.stack([crop] * 3)
    fake = real.copy()
    fake[0] = 0
    points = find_landmarks(real)
    assert compare(real, fake, points, points)["ssim"] == pytest.approx(1)


def test_summary_is_the_mean_over_clips_with_its_interval() -> None:
    draw = np.random.default_rng(0)
    rows = [{"method": method, **{name: draw.random() for name in METRICS}} for method in ("static", "at_vg") * 10]
    table = pd.DataFrame(rows)
    table.loc[table.method == "at_vg", "lmd"] = np.nan
    summary = summarize(table, seed=0)
    assert list(summary) == ["static", "at_vg"]
    ours = table[table.method == "static"].ssim
    assert summary["static"]["ssim"] == pytest.approx(ours.mean(), abs=1e-6)
    assert summary["static"]["ssim_low"] < ours.mean() < summary["static"]["ssim_high"]
    assert "lmd" not in summary["at_vg"]
    metrics_figure(summary)  # draws what is there


def test_equal_pictures_have_the_cap_and_nothing_else_reaches_it(crop: Image) -> None:
    """`static` on a clip of one picture: PSNR is infinite by its definition, which JSON has no number for."""
    real = np.stack([crop] * 4)
    points = find_landmarks(real)
    nearly = real.copy()
    nearly[1:, 0, 0, 0] ^= 1
    assert compare(real, real, points, points)["psnr"] == CAP_DB
    assert compare(real, nearly, points, points)["psnr"] == pytest.approx(95.05, abs=0.01)
    half = real.copy()
    half[2:, 0, 0, 0] ^= 1
    assert compare(real, half, points, points)["psnr"] == pytest.approx((CAP_DB + 2 * 95.05) / 3, abs=0.01)


def test_metrics_are_finite_json_in_which_the_deciding_one_comes_first(crop: Image, tmp_path: Path) -> None:
    """With a baseline whose pictures are those of the clip, and one in which no face is found."""
    real = np.stack([crop] * 3)
    points, nothing = find_landmarks(real), np.full((3, 68, 2), np.nan, np.float32)
    rows = [
        {"id": "a", "speaker": "s", "method": "static", **compare(real, real, points, points)},
        {"id": "a", "speaker": "s", "method": "at_vg", **compare(real, real, points, nothing)},
    ]
    table = pd.DataFrame(rows)
    write_tables(tmp_path, table, summarize(table, seed=0))
    refuse = pytest.fail
    means = json.loads((tmp_path / "metrics.json").read_text(), parse_constant=refuse)
    assert list(means) == ["at_vg", "static"]
    assert list(means["static"]) == ["lmd", "psnr", "ssim", "f_lmd", "lost"]
    assert list(means["at_vg"]) == ["psnr", "ssim", "lost"]
    assert means["static"]["psnr"] == CAP_DB
    intervals = pd.read_csv(tmp_path / "metrics.csv")
    assert list(intervals.columns) == ["baseline", "metric", "mean", "low", "high"]
    assert len(intervals) == 8
    assert np.isfinite(intervals[["mean", "low", "high"]]).all(axis=None)


def test_clips_are_drawn_with_the_seed() -> None:
    ids = [f"c{number:02}" for number in range(20)]
    assert choose_clips(ids, 0, 0) == ids
    drawn = choose_clips(ids, 5, 0)
    assert drawn == sorted(drawn)
    assert drawn == choose_clips(ids, 5, 0)
    assert drawn != choose_clips(ids, 5, 1)


def test_drawn_landmarks_lie_where_the_points_are() -> None:
    points = np.full((68, 2), 20.0)
    points[48:60] = np.array([(60 + 20 * np.cos(a), 90 + 8 * np.sin(a)) for a in np.linspace(0, 6, 12)])
    drawn = draw_landmarks(points, scale=2)
    assert drawn.shape == (256, 256, 3)
    assert drawn[160:200, 70:170].any()
    assert not drawn[200:].any()


def test_a_strip_shows_the_last_attention_there_is(crop: Image) -> None:
    """Also where the last baseline paints nothing."""
    frames = np.stack([crop] * 9)
    clip = TestClip("a", "s", frames, np.zeros((9, 68, 2), np.float32), np.zeros((9, 28, 12), np.float32))
    painted = Generated(frames, clip.points_T68x2, np.ones((9, 128, 128), np.float32))
    rows = [strip(clip, made).shape[0] // (128 + LABEL_HEIGHT) for made in ({"a": painted, "b": Generated(frames)}, {})]
    assert rows == [4, 1]
