"""dlib finds the synthetic faces, and measures the scripted opening of their mouths."""

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest

from pipeline.config.params import Landmarks
from pipeline.corpora.sample import SyntheticParams
from pipeline.faces.track import track_face
from pipeline.synthetic.build_sample import plan_clips
from pipeline.synthetic.clip import make_clip

pytestmark = pytest.mark.slow

INNER_LIPS = ((61, 67), (62, 66), (63, 65))


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """A clip of every speaker of the default corpus: its script and dlib's measurements (NaN: no face)."""
    folder = tmp_path_factory.mktemp("bars")
    params = SyntheticParams()
    plans = [plan for i, plan in enumerate(plan_clips(params)) if i % params.sentences == 0]
    clips = []
    for plan in plans:
        script = make_clip(plan, folder)
        clips.append(pd.concat([script, pd.DataFrame(_measure(_path(folder, script)))], axis=1))
    return pd.concat(clips, ignore_index=True)


def _path(folder: Path, script: pd.DataFrame) -> Path:
    return folder / str(script["speaker"].iloc[0]) / f"{script['name'].iloc[0]}.mpg"


def _measure(path: Path) -> list[dict[str, float]]:
    with av.open(str(path)) as container:
        pictures = [np.array(frame.to_ndarray(format="rgb24"), np.uint8) for frame in container.decode(video=0)]
    track = track_face(pictures, Landmarks().detect_every)
    points = np.where(track.found_T[:, None, None], track.points_T68x2, np.nan)
    gaps = [np.linalg.norm(points[:, upper] - points[:, lower], axis=1) for upper, lower in INNER_LIPS]
    heights = np.linalg.norm(points[:, 27] - points[:, 8], axis=1)
    return [{"mouth": mouth, "size": size} for mouth, size in zip(np.mean(gaps, axis=0), heights, strict=True)]


def test_dlib_finds_the_face(measured: pd.DataFrame) -> None:
    assert len(measured) == 8 * 75
    assert measured["mouth"].notna().mean() >= 0.99


def test_dlib_measures_the_scripted_opening(measured: pd.DataFrame) -> None:
    """Correlation over the frames of all speakers, in pixels, and over each speaker's frames."""
    found = measured.dropna()
    assert np.corrcoef(found["mouth"], found["opening"])[0, 1] >= 0.9
    for _, speaker in found.groupby("speaker"):
        assert np.corrcoef(speaker["mouth"], speaker["opening"])[0, 1] >= 0.9


def test_a_face_keeps_its_size(measured: pd.DataFrame) -> None:
    for _, speaker in measured.dropna().groupby("speaker"):
        assert speaker["size"].std() < 0.06 * speaker["size"].mean()


def test_clips_do_not_depend_on_each_other(tmp_path: Path) -> None:
    plan, other = plan_clips(SyntheticParams(speakers=1, sentences=3))[:2]
    first = _path(tmp_path / "a", make_clip(plan, tmp_path / "a")).read_bytes()
    make_clip(replace(other, seed=(9,)), tmp_path / "b")
    assert _path(tmp_path / "c", make_clip(plan, tmp_path / "c")).read_bytes() == first
