"""A speaker of the embedded corpus stands for the person in the video."""

from pathlib import Path

import pytest

from pipeline.bundles.bundle import load_bundle
from pipeline.bundles.location import pretrained_folder
from pipeline.corpora.sample import SyntheticParams
from pipeline.personalize.footage import prepare
from pipeline.personalize.personalize import clip_params
from pipeline.synthetic.build_sample import build_synthetic

CLIPS = 6


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the clips of one speaker."""
    folder = tmp_path_factory.mktemp("corpus") / "sample"
    build_synthetic(SyntheticParams(speakers=1, sentences=CLIPS, seed=0), folder, jobs=1)
    return next(path.parent for path in sorted(folder.glob("s*/*.mpg")))


@pytest.fixture(scope="session")
def work(video: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The prepared video, as an interrupted call leaves it."""
    folder = tmp_path_factory.mktemp("work")
    bundle = load_bundle(pretrained_folder())
    prepare([video], clip_params(bundle), folder, jobs=1, initial=bundle.trained_here.speech.initial)
    return folder
