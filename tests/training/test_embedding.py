"""AT-net's training with the speech embedding."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pipeline.bundles.networks import load_model
from pipeline.landmarks.points import UPPER_LIP
from pipeline.models.atnet import AtNet
from pipeline.runtime.errors import PipelineError
from pipeline.speech.features import SpeechFeatures
from pipeline.training.atnet import SILENT_WINDOWS, AtNetTask, fill_embedding, silent_rows
from pipeline.training.loop import train
from tests.training.runs import AT, Interrupt, outs
from tests.training.synthetic import DrawnClips

EMBEDDED = replace(AT, encoder="embedding")
FLAT = 7.0  # power of all bands of the drawn clips


class Hearing(DrawnClips):
    """Its windows have the size of the embedding's, and its inner lips part."""

    def landmarks(self, clip: int, mirrored: bool = False) -> NDArray[np.float32]:
        landmarks_T68x2 = super().landmarks(clip, mirrored).reshape(-1, 68, 2)
        landmarks_T68x2[:, UPPER_LIP, 1] *= -1
        return landmarks_T68x2.reshape(-1, 136)

    def windows(self, clip: int) -> NDArray[np.float32]:
        return np.full((self.lengths[clip], 60, 32), FLAT, np.float32)


def test_the_embedding_is_saved_as_it_was_and_training_survives_a_restart(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(task(), tmp_path / "out", tmp_path / "resume", (Interrupt(4),))
    for folder in (tmp_path, tmp_path / "whole"):
        train(task(), folder / "out", folder / "resume")
    assert outs(tmp_path) == outs(tmp_path / "whole")
    network, _ = load_model(tmp_path / "out", "model")
    expected = AtNet(3, 8, True, 32, "embedding")
    fill_embedding(expected)
    for name, tensor in expected.state_dict().items():
        if name.startswith("speech.embedding."):
            assert torch.equal(tensor, network.state_dict()[name]), name


def test_missing_weights_say_how_to_restore_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.training.atnet.EMBEDDING", tmp_path)
    (tmp_path / "model.json").write_text("{}")
    with pytest.raises(PipelineError, match=rf"speech embedding are missing.*git checkout {tmp_path}`"):
        fill_embedding(AtNet(3, 8, True, 32, "embedding"))


def task() -> AtNetTask:
    return AtNetTask(Hearing(3), Hearing(2, seed=1), EMBEDDED, 0)


def test_a_share_of_the_windows_is_silent_and_has_closed_lips() -> None:
    training, silent, heard = task(), 0, 0
    for step in range(150):
        batch = training.batch(step)
        for windows_T1RC, coefficients_TK in zip(batch.windows_BT1RC, batch.coefficients_BTK, strict=True):
            heard += 1
            if not (windows_T1RC == FLAT).all():
                silent += 1
                assert torch.equal(coefficients_TK, coefficients_TK[:1].expand_as(coefficients_TK))
                assert coefficients_TK[0, 0] < 0.05  # the opening of the drawn mouth
    assert silent / heard == pytest.approx(SILENT_WINDOWS, abs=0.04)


def test_silent_rows_are_like_those_of_noise_and_of_digital_silence() -> None:
    features = SpeechFeatures.of(0.025, "embedding_mel")
    nothing = features.compute(np.zeros(16000, np.int16))
    drawn = [silent_rows(25, np.random.default_rng(seed)) for seed in range(200)]
    digital = [rows for rows in drawn if np.ptp(rows) < 0.01]
    assert 0.15 < len(digital) / len(drawn) < 0.35
    np.testing.assert_allclose(digital[0][:, 1:], nothing[:, 1:], atol=2e-3)
    white = features.compute(np.random.default_rng(0).normal(0, 30, 16000 * 5).astype(np.int16))[5:-5, 1:]
    noisy = np.stack([rows[:, 1:] for rows in drawn if np.ptp(rows) >= 0.01])
    assert noisy.mean(axis=1).min() < white.mean() < noisy.mean(axis=1).max()
    steady = noisy.std(axis=1)[noisy.mean(axis=(1, 2)) > 5].mean(axis=0)
    np.testing.assert_allclose(steady, white.std(axis=0), atol=0.15)
