"""Checks of whole videos give warnings and change no verdict."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.config.params import Params
from pipeline.corpora.base import Clip, Split
from pipeline.corpora.sample import SyntheticParams
from pipeline.prepare.extract import extract
from pipeline.prepare.faces import build_faces
from pipeline.prepare.quality.videos import video_warnings, with_warnings
from pipeline.shards.clip_store import ClipStore
from pipeline.synthetic.build_sample import build_synthetic

pytestmark = pytest.mark.slow

SPLITS: tuple[Split, ...] = ("train", "train", "train", "train", "train", "train", "val", "test")


class Delayed:
    """One speaker's clips with sound ``delay`` seconds late."""

    def __init__(self, root: Path, delay: float) -> None:
        self.root, self.delay = root, delay

    def clips(self) -> list[Clip]:
        paths = sorted(self.root.glob("s*/*.mpg"))
        return [
            Clip(path.stem, "anna", split, "", path, sound_delay=self.delay)
            for path, split in zip(paths, SPLITS, strict=True)
        ]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus") / "sample"
    build_synthetic(SyntheticParams(speakers=1, sentences=len(SPLITS), seed=0), folder, jobs=1)
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of both tests, so that faces are found once."""
    return tmp_path_factory.mktemp("data")


@pytest.mark.parametrize(("delay", "warning"), [(0.0, ""), (0.4, "the sound is 0.40 s late (10 frames)")])
def test_late_sound_has_a_warning(
    root: Path, data: Path, delay: float, warning: str, caplog: pytest.LogCaptureFixture
) -> None:
    params = Params()
    manifest = extract(Delayed(root, delay), params.extract, data / "clips", jobs=1)
    finding = replace(params.landmarks, min_sync=-1.0)
    build_faces(manifest, data / "clips", root, finding, data / "faces", jobs=1)
    found = video_warnings(ClipStore(data))
    rows = with_warnings(map(vars, manifest), found)
    assert {row["status"] for row in rows} == {"ok"}
    if warning:
        assert f"speaker anna: {warning} over the whole video." in caplog.text
        assert all(row["reason"].endswith(f"{warning} over the whole video") for row in rows)
    else:
        assert not found


def test_warnings_are_joined() -> None:
    rows = with_warnings([{"id": "a", "reason": "74 frames"}, {"id": "b", "reason": ""}], {"a": "late", "b": "late"})
    assert [row["reason"] for row in rows] == ["74 frames; late", "late"]
