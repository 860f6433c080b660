"""What AT-net's file says of the speech features that it was trained on."""

from pathlib import Path

import pytest

from pipeline.config.params import Mfcc, Params
from pipeline.runtime.errors import PipelineError
from pipeline.shards.initial import write_initial
from pipeline.speech.features import SpeechFeatures
from pipeline.speech.normalisation import InitialStatistics
from pipeline.training.atnet import speech_features

INITIAL = InitialStatistics((-8.0,) * 13, (3.0,) * 13)
ADAPTIVE = Params(mfcc=Mfcc(normalise="adaptive"))


def test_initial_statistics_come_from_the_features_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("data/mfcc").mkdir(parents=True)
    write_initial("data/mfcc", INITIAL)
    assert speech_features(ADAPTIVE) == SpeechFeatures.of(0.025, "mfcc", "adaptive", INITIAL)
    assert speech_features(Params()) == SpeechFeatures.of(0.025)


def test_adaptive_features_need_initial_statistics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PipelineError, match=r"data/mfcc/initial\.json is missing\. Run `dvc repro mfcc` to make it"):
        speech_features(ADAPTIVE)
