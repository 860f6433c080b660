"""One clip by several systems; some files are odd."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.evaluation.baselines import GROUND_TRUTH
from pipeline.evaluation.score import clip, crops
from pipeline.evaluation.score.clip import score_clip
from pipeline.evaluation.score.pairs import Fake, Pair
from pipeline.media import read_frames
from pipeline.metrics import METRICS
from tests.evaluation.score.videos import CLIPS, Image, frames_of, write

FRAMES = 13


@pytest.fixture(scope="module")
def frames(corpora: Path) -> list[Image]:
    return frames_of(corpora, CLIPS[0], FRAMES)


@pytest.fixture(scope="module")
def videos(frames: list[Image], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real video, and fakes: encoded again; its first 4 and 3 frames; cut close about the face, in another shape."""
    folder = tmp_path_factory.mktemp("videos")
    write(folder / "real.mp4", frames)
    write(folder / "again.mp4", frames, crf=24)
    for count in (4, 3):
        write(folder / f"{count}.mp4", frames[:count])
    top, left = 90, 100
    write(folder / "tight.mp4", [np.ascontiguousarray(one[top : top + 170, left : left + 150]) for one in frames])
    write(folder / "wide.mp4", [np.ascontiguousarray(one[:, 10:340]) for one in frames])
    return folder


def rows_of(real: Path, **fakes: Path) -> dict[str, dict[str, Any]]:
    return {
        str(one.row["method"]): one.row
        for one in score_clip(Pair("a", real, None, {name: Fake(path) for name, path in fakes.items()}))
    }


def test_a_fragment_has_its_reason_and_no_metric(videos: Path) -> None:
    rows = rows_of(videos / "real.mp4", enough=videos / "4.mp4", less=videos / "3.mp4")
    assert (rows["enough"]["reason"], rows["enough"]["frames"]) == ("", 4)
    assert (rows["less"]["reason"], rows["less"]["frames"]) == ("a fragment: 3 frames, the real video 13", 3)
    assert not METRICS.keys() & rows["less"].keys()
    short = rows_of(videos / "3.mp4", again=videos / "again.mp4")
    assert short["again"]["reason"] == "a fragment: 13 frames, the real video 3"


@pytest.mark.slow
def test_only_the_area_that_both_videos_show_is_compared(videos: Path) -> None:
    """Either video may be cut close around the face."""
    rows = rows_of(videos / "real.mp4", wide=videos / "wide.mp4", tight=videos / "tight.mp4")
    assert rows["wide"]["shown"] == 1
    assert 0.5 < rows["tight"]["shown"] < 0.97
    for metric, most in {"psnr": 4, "ssim": 0.03, "paper_psnr": 4, "paper_ssim": 0.03}.items():
        assert rows["tight"][metric] > rows["wide"][metric] - most, metric
    crossed = rows_of(videos / "tight.mp4", wide=videos / "wide.mp4", tight=videos / "tight.mp4")
    assert crossed["wide"]["shown"] == 1  # all that the real video shows
    assert crossed["wide"]["psnr"] > 30
    assert crossed["tight"]["psnr"] == 100


def test_any_exception_of_a_decoder_becomes_the_reason(videos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where only the sound, or only the description, cannot be read."""

    def fail(path: Path, *arguments: object, **options: object) -> Any:
        raise ValueError(f"31 is not a valid Type in {path.name}")

    def read(path: Path) -> Iterator[Image]:
        return fail(path) if path.name == "4.mp4" else read_frames(path)

    monkeypatch.setattr(crops, "read_frames", read)
    for name in ("probe", "read_audio"):
        monkeypatch.setattr(clip, name, fail)
    rows = rows_of(videos / "real.mp4", odd=videos / "4.mp4", again=videos / "again.mp4")
    assert rows["odd"]["reason"] == "it cannot be decoded (ValueError: 31 is not a valid Type in 4.mp4)"
    assert (rows["again"]["reason"], rows["again"]["sound"]) == ("", "none")
    assert rows[GROUND_TRUTH]["psnr"] == 100
    real_is_odd = rows_of(videos / "4.mp4", again=videos / "again.mp4")
    assert real_is_odd[GROUND_TRUTH]["reason"] == rows["odd"]["reason"]
    assert real_is_odd["again"]["reason"] == f"the real video: {rows['odd']['reason']}"
