"""Models that do not fit the prepared clips."""

from pathlib import Path

import pytest

from pipeline.config.params import Mfcc, Params
from pipeline.evaluation.models import check_speech
from pipeline.inference.talking_head import TalkingHead
from pipeline.runtime.errors import PipelineError
from pipeline.shards.initial import write_initial
from pipeline.speech.features import SpeechFeatures
from pipeline.speech.normalisation import InitialStatistics
from tests.factories import write_bundle

OURS, THEIRS = (InitialStatistics((mean,) * 27, (2.0,) * 27) for mean in (1.0, 1.5))


def test_other_initial_statistics_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    speech = SpeechFeatures.of(0.025, "log_mel", "adaptive", OURS)
    head = TalkingHead.from_pretrained(write_bundle(tmp_path / "models", speech=speech))
    Path("data/mfcc").mkdir(parents=True)
    params = Params(mfcc=Mfcc(kind="log_mel", normalise="adaptive"))
    write_initial("data/mfcc", OURS)
    check_speech(head, params, Path("models"))
    write_initial("data/mfcc", THEIRS)
    message = (
        r"models normalises speech from other initial statistics than data/mfcc\. Set mfcc\.init to models and run"
    )
    with pytest.raises(PipelineError, match=message):
        check_speech(head, params, Path("models"))
