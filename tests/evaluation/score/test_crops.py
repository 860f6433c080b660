"""Real clips and videos made of them are cut alike."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.evaluation.score.crops import Crops, NotScored, crop_fake, crop_real
from pipeline.metrics.observe import find_landmarks
from tests.evaluation.score.videos import CLIPS, frames_of, write

Image = NDArray[np.uint8]
SHORT = 10


@pytest.fixture(scope="module")
def frames(corpora: Path) -> list[Image]:
    return frames_of(corpora, CLIPS[0], SHORT)


@pytest.fixture(scope="module")
def real(frames: list[Image], tmp_path_factory: pytest.TempPathFactory) -> Crops:
    return crop_real(write(tmp_path_factory.mktemp("real") / "real.mp4", frames))


def psnr(one: Image, other: Image) -> float:
    with np.errstate(divide="ignore"):  # equal ones
        return float(10 * np.log10(255**2 / np.mean((one.astype(float) - other) ** 2)))


@pytest.mark.parametrize("size", [(720, 576), (180, 144), (360, 288), (450, 364)])
def test_other_sizes_are_cut_like_the_real_video(
    frames: list[Image], real: Crops, tmp_path: Path, size: tuple[int, int]
) -> None:
    resized = [np.asarray(cv2.resize(one, size, interpolation=cv2.INTER_AREA), np.uint8) for one in frames]
    fake = crop_fake(write(tmp_path / "a.mp4", resized), real)
    assert fake.aligned == "real"
    assert fake.frames_THWC.shape == real.frames_THWC.shape
    assert psnr(fake.frames_THWC, real.frames_THWC) > 30  # at half the size pixels are lost, and none of them is moved
    if size[0] >= 360:
        apart = find_landmarks(fake.frames_THWC) - find_landmarks(real.frames_THWC)
        assert np.abs(np.nanmean(apart, axis=(0, 1))).max() < 0.3


def test_a_crop_of_a_face_is_taken_as_it_is(real: Crops, tmp_path: Path) -> None:
    for side in (96, 128, 256):
        crops = [np.asarray(cv2.resize(one, (side, side), interpolation=cv2.INTER_AREA)) for one in real.frames_THWC]
        fake = crop_fake(write(tmp_path / f"{side}.mp4", crops), real)
        assert fake.aligned == "crop"
        assert psnr(fake.frames_THWC, real.frames_THWC) > 30
    assert crop_fake(tmp_path / "128.mp4", None).aligned == "crop"


def test_a_face_in_another_place_is_aligned_by_itself(frames: list[Image], real: Crops, tmp_path: Path) -> None:
    moved = [np.roll(one, (-30, 60), axis=(0, 1)) for one in frames]
    square = [np.ascontiguousarray(one[:, 20:308]) for one in frames]
    for name, video in (("moved", moved), ("square", square)):
        fake = crop_fake(write(tmp_path / f"{name}.mp4", video), real)
        assert fake.aligned == "own"
        assert psnr(fake.frames_THWC, real.frames_THWC) > 27
    assert crop_fake(tmp_path / "moved.mp4", None).aligned == "own"


def test_a_video_without_a_face_is_cut_where_the_face_should_be(
    frames: list[Image], real: Crops, tmp_path: Path
) -> None:
    grey = [np.full_like(one, 127) for one in frames]
    fake = crop_fake(write(tmp_path / "grey.mp4", grey), real)
    assert (fake.aligned, len(fake.frames_THWC)) == ("real", SHORT)
    wide = [np.full((100, 400, 3), 127, np.uint8)] * 3
    with pytest.raises(NotScored, match="no face is found in the generated video, and its shape is another"):
        crop_fake(write(tmp_path / "wide.mp4", wide), real)
    with pytest.raises(NotScored, match="no face is found in it"):
        crop_real(tmp_path / "grey.mp4")


def test_a_longer_video_is_cut_to_its_end(frames: list[Image], real: Crops, tmp_path: Path) -> None:
    fake = crop_fake(write(tmp_path / "long.mp4", [*frames, *frames[-1:] * 4]), real)
    assert len(fake.frames_THWC) == SHORT + 4
    assert psnr(fake.frames_THWC[-1], fake.frames_THWC[SHORT]) > 35


def test_an_unreadable_video_is_not_scored(tmp_path: Path) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"nothing of a video" * 100)
    with pytest.raises(NotScored):
        crop_fake(tmp_path / "broken.mp4", None)
