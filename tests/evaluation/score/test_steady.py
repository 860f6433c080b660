"""Landmarks of generated faces that do not move like the real one."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.evaluation.score.crops import Crops, crop_fake, crop_real
from pipeline.evaluation.score.steady import observe_steady
from pipeline.landmarks.shape import mouth_opening
from pipeline.metrics.compute import compute_metrics
from pipeline.metrics.observe import observe
from tests.evaluation.score.videos import CLIPS, Image, frames_of, write

FRAMES = 20


@pytest.fixture(scope="module")
def frames(corpora: Path) -> list[Image]:
    return frames_of(corpora, CLIPS[0], FRAMES)


@pytest.fixture(scope="module")
def real(frames: list[Image], tmp_path_factory: pytest.TempPathFactory) -> Crops:
    """A real clip whose head sways by 6 pixels, so that its crop moves."""
    swaying = [shifted(one, 6 * np.sin(number / 3)) for number, one in enumerate(frames)]
    return crop_real(write(tmp_path_factory.mktemp("real") / "real.mp4", swaying))


def shifted(frame: Image, pixels: float) -> Image:
    height, width = frame.shape[:2]
    moved = cv2.warpAffine(
        frame, np.array([[1, 0, pixels], [0, 1, 0]], np.float32), (width, height), borderMode=cv2.BORDER_REFLECT
    )
    return np.asarray(moved, np.uint8)


def test_a_still_photograph_has_a_still_mouth(frames: list[Image], real: Crops, tmp_path: Path) -> None:
    path = write(tmp_path / "static.mp4", frames[:1] * FRAMES, crf=23)
    crops = crop_fake(path, real)
    assert crops.aligned == "real"
    shaken = mouth_opening(observe(crops.frames_THWC).points_T68x2)
    assert shaken.std() > 0.002  # which the moving crop alone does
    seen = observe_steady(crops)
    found = compute_metrics(observe(real.frames_THWC), seen)
    assert found.values["spread"] == pytest.approx(0, abs=1e-9)
    assert found.values["lip_dynamics"] == pytest.approx(0, abs=1e-9)
    assert {"opening", "relative_offset"} <= found.absent.keys()
    assert found.values["lmd"] == pytest.approx(
        compute_metrics(observe(real.frames_THWC), observe(crops.frames_THWC)).values["lmd"], abs=0.15
    )


def test_a_still_head_that_speaks_is_measured_in_its_own_crops(
    frames: list[Image], real: Crops, tmp_path: Path
) -> None:
    crops = crop_fake(write(tmp_path / "speaks.mp4", frames), real)
    assert crops.aligned == "real"
    seen = observe_steady(crops)
    assert seen.steady_T68x2 is not None
    alone = crop_real(tmp_path / "speaks.mp4")
    exact = mouth_opening(observe(alone.frames_THWC).points_T68x2)
    assert np.abs(mouth_opening(seen.shapes_T68x2) - exact).max() < 1e-6
    np.testing.assert_allclose(
        mouth_opening(seen.points_T68x2), exact, atol=1e-3
    )  # they are moved, and keep their shape


def test_a_head_that_moves_like_the_real_one_is_measured_in_the_real_crops(
    frames: list[Image], real: Crops, tmp_path: Path
) -> None:
    swaying = [shifted(one, 6 * np.sin(number / 3)) for number, one in enumerate(frames)]
    crops = crop_fake(write(tmp_path / "again.mp4", swaying, crf=24), real)
    seen = observe_steady(crops)
    assert seen.steady_T68x2 is None
    np.testing.assert_array_equal(seen.points_T68x2, observe(crops.frames_THWC).points_T68x2)


def test_a_still_crop_of_a_face_is_still(real: Crops, tmp_path: Path) -> None:
    crops = crop_fake(write(tmp_path / "face.mp4", list(real.frames_THWC[:1]) * FRAMES, crf=23), real)
    assert crops.aligned == "crop"
    assert np.ptp(observe_steady(crops).shapes_T68x2, axis=0).max() == 0
