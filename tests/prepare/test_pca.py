"""The stage pca with the landmark model of a bundle."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.config.params import Pca
from pipeline.landmarks.pca import LandmarkModel
from pipeline.prepare.pca import landmark_model
from pipeline.runtime.errors import PipelineError
from pipeline.shards.clip_store import ClipStore
from tests.factories import fitted


def test_the_landmark_model_of_a_bundle(tmp_path: Path) -> None:
    theirs = fitted(seed=1)
    theirs.save(tmp_path / "bundle" / "landmarks")
    found = landmark_model(ClipStore(tmp_path), Pca(), tmp_path / "bundle")  # no clip is read
    assert found.digest == theirs.digest
    found.save(tmp_path / "out")
    assert LandmarkModel.load(tmp_path / "out").digest == theirs.digest


def test_an_unsuitable_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"pca\.init: .*landmarks\.npz is not there\. Give the folder of a bundle"):
        landmark_model(ClipStore(tmp_path), Pca(), tmp_path)
    fitted(seed=1).save(tmp_path / "landmarks")
    message = r"landmarks has 6 components, and pca\.components is 8\. Set pca\.components to 6, or take another"
    with pytest.raises(PipelineError, match=message):
        landmark_model(ClipStore(tmp_path), replace(Pca(), components=8), tmp_path)
