"""Talking heads from bundles, outside the project's folder."""

import doctest
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]
from numpy.typing import NDArray

from pipeline.inference import generator, talking_head
from pipeline.inference.generator import Generator
from pipeline.inference.inputs import read_reference
from pipeline.inference.settings import Settings
from pipeline.inference.talking_head import TalkingHead
from pipeline.landmarks.shape import mouth_opening
from pipeline.media import read_audio
from pipeline.runtime.errors import PipelineError
from pipeline.speech.features import SpeechFeatures, windows
from pipeline.speech.normalisation import InitialStatistics, normalised
from pipeline.speech.sound import Sound
from tests.factories import write_bundle

ROOT = Path(__file__).parents[2]


def noise(seconds: float) -> NDArray[np.int16]:
    return (np.random.default_rng(0).standard_normal(round(seconds * 16000)) * 3000).astype(np.int16)


def frames(folder: Path, photograph: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.stack(list(TalkingHead.from_pretrained(folder).generate(photograph, noise(0.5))))


@pytest.mark.slow
def test_the_readmes_example_in_an_empty_folder(
    tmp_path: Path, photograph: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs with nothing but a picture and a sound."""
    (code,) = re.findall(r"```python\n(.*?from_pretrained.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    ((picture_name, speech_name),) = re.findall(r'generate\("(.*?)", "(.*?)"', code)
    picture, speech = tmp_path / picture_name, tmp_path / speech_name
    for path in (picture, speech):
        path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(picture), photograph[:, :, ::-1])
    soundfile.write(speech, noise(0.5), 16000, format="WAV")
    monkeypatch.chdir(tmp_path)
    exec(code, names := dict[str, Any]())
    assert len(list(names["head"].generate(str(picture), str(speech)))) == 13


@pytest.mark.parametrize("size", [128, 256])
def test_frames_cover_the_speech(tmp_path: Path, photograph: NDArray[np.uint8], size: int) -> None:
    generated = frames(write_bundle(tmp_path / "models", size=size), photograph)
    assert generated.shape == (13, size, size, 3)
    assert generated.dtype == np.uint8


def test_the_speech_window_is_that_of_the_training(
    tmp_path: Path, photograph: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The current params.yaml does not matter."""
    bundle = write_bundle(tmp_path / "models")
    before = frames(bundle, photograph)
    params = (ROOT / "params.yaml").read_text()
    assert "window: 0.025" in params
    (tmp_path / "params.yaml").write_text(params.replace("window: 0.025", "window: 0.05"))
    monkeypatch.chdir(tmp_path)
    np.testing.assert_array_equal(frames(bundle, photograph), before)
    other = TalkingHead.from_pretrained(write_bundle(tmp_path / "other", speech=SpeechFeatures.of(0.05)))
    ours, others = (
        next(head.preprocessing.windows(Sound([noise(0.5)]), 13))
        for head in (TalkingHead.from_pretrained(bundle), other)
    )
    assert not np.array_equal(ours, others)


def test_bands_are_normalised_over_the_whole_speech(tmp_path: Path, photograph: NDArray[np.uint8]) -> None:
    """The statistics are known before the first frame, so chunks equal one piece."""
    features = SpeechFeatures.of(0.025, "log_mel", "clip")
    folder = write_bundle(tmp_path / "models", speech=features)
    assert frames(folder, photograph).shape == (13, 128, 128, 3)
    head, samples = TalkingHead.from_pretrained(folder), noise(3.0)
    samples[:24000] //= 8
    pieces = np.concatenate(list(head.preprocessing.windows(Sound([samples]), 75, chunk=10)))
    np.testing.assert_allclose(pieces, windows(normalised(features.compute(samples)), 75), atol=5e-3)


def test_adaptive_normalisation_starts_from_the_bundle(tmp_path: Path, photograph: NDArray[np.uint8]) -> None:
    """The result does not depend on the blocks of sound."""
    features = SpeechFeatures.of(0.025, "log_mel", "adaptive", InitialStatistics((-8.0,) * 27, (3.0,) * 27))
    folder = write_bundle(tmp_path / "models", speech=features)
    assert frames(folder, photograph).shape == (13, 128, 128, 3)
    head, samples = TalkingHead.from_pretrained(folder), noise(3.0)
    pieces = np.concatenate(list(head.preprocessing.windows(Sound(np.array_split(samples, 7)), 75, chunk=10)))
    np.testing.assert_allclose(pieces, windows(features.finish(features.compute(samples)), 75), atol=5e-3)


def test_unknown_speech_features_are_rejected(tmp_path: Path) -> None:
    folder = write_bundle(tmp_path / "models")
    card = folder / "atnet" / "model.json"
    card.write_text(card.read_text().replace('"hop": 160', '"hop": 80'))
    with pytest.raises(PipelineError, match=r"models/atnet was trained on other speech features .*hop=80.*hop=160"):
        TalkingHead.from_pretrained(folder)


def test_wrong_arrays_are_rejected(tmp_path: Path, photograph: NDArray[np.uint8]) -> None:
    head = TalkingHead.from_pretrained(write_bundle(tmp_path / "models"))
    with pytest.raises(PipelineError, match=r"The picture is uint8 \(512, 512\)\. Give RGB as uint8"):
        next(head.generate(photograph[:, :, 0], noise(0.5)))
    with pytest.raises(PipelineError, match=r"The speech is float64 \(800,\)\. Give 16 kHz mono samples as int16"):
        next(head.generate(photograph, noise(0.05).astype(np.float64)))
    with pytest.raises(PipelineError, match=r"The speech holds less sound than one video frame lasts"):
        next(head.generate(photograph, noise(0.01)))


@pytest.mark.slow
def test_strength_scales_the_opening_of_the_mouth(photograph: NDArray[np.uint8]) -> None:
    """Measured with the shipped models and the sentence of the docs."""
    head = TalkingHead.from_pretrained()
    reference = read_reference(photograph, head.preprocessing)
    windows = list(head.preprocessing.windows(Sound([read_audio(ROOT / "docs/speech.wav")])))

    def opening(strength: float) -> NDArray[np.float64]:
        landmarks = np.concatenate(list(head.landmarks(reference, windows, strength)))
        return mouth_opening(head.preprocessing.place(landmarks, reference.points_68x2))

    own = mouth_opening(reference.points_68x2[None])[0]
    np.testing.assert_allclose(opening(0), own, atol=1e-5)
    assert opening(1).std() > 0.01
    assert opening(2).max() > 1.5 * opening(1).max()
    assert np.percentile(opening(2), 5) == pytest.approx(np.percentile(opening(1), 5), abs=0.005)
    with pytest.raises(PipelineError, match=r"strength is -1\. Give one from 0 "):
        next(head.landmarks(reference, windows, -1.0))


def test_settings_show_the_whole_picture(tmp_path: Path, photograph: NDArray[np.uint8]) -> None:
    """They give the frames of `generate_video` and `Generator`."""
    head = TalkingHead.from_pretrained(write_bundle(tmp_path / "models"))
    settings = Settings(sway=True, blink=False, strength=1.3)
    whole = list(head.generate(photograph, noise(0.2), settings=settings))
    np.testing.assert_array_equal(whole, list(Generator(head, photograph, settings).stream([noise(0.2)])))
    assert whole[0].shape == (512, 512, 3)
    alone = list(head.generate(photograph, noise(0.2), settings=Settings(crop=True, blink=False)))
    np.testing.assert_array_equal(alone, list(head.generate(photograph, noise(0.2))))


@pytest.mark.slow
@pytest.mark.parametrize("module", [talking_head, generator])
def test_examples_in_docstrings(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    failed, examples = doctest.testmod(module)
    assert not failed
    assert examples
