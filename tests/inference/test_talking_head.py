"""A bundle is enough by itself: an empty folder, no params.yaml, and the README's lines."""

import os
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]
from numpy.typing import NDArray

from pipeline.inference.inputs import read_reference
from pipeline.inference.talking_head import TalkingHead
from pipeline.landmarks.mouth import mouth_opening
from pipeline.media import read_audio
from pipeline.runtime.errors import PipelineError
from pipeline.speech.features import SpeechFeatures
from pipeline.speech.normalisation import InitialStatistics, normalised
from pipeline.speech.sound import Sound
from pipeline.speech.windows import windows
from tests.models.test_bundle import write_bundle

ROOT = Path(__file__).parents[2]


def sound(seconds: float) -> NDArray[np.int16]:
    return (np.random.default_rng(0).standard_normal(round(seconds * 16000)) * 3000).astype(np.int16)


def frames(folder: Path, photograph: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.stack(list(TalkingHead.from_pretrained(folder).generate(photograph, sound(0.5))))


def test_the_readme_in_an_empty_folder(tmp_path: Path, photograph: NDArray[np.uint8]) -> None:
    """Its Python lines, as they stand, beside nothing but a picture and a sound."""
    (code,) = re.findall(r"```python\n(.*?from_pretrained.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    ((picture_name, speech_name),) = re.findall(r'generate\("(.*?)", "(.*?)"\)', code)
    picture, speech = tmp_path / picture_name, tmp_path / speech_name
    for path in (picture, speech):
        path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(picture), photograph[:, :, ::-1])
    soundfile.write(speech, sound(0.5), 16000, format="WAV")
    show = f"\nprint(len(list(head.generate({str(picture)!r}, {str(speech)!r}))))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code + show], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "13"


@pytest.mark.parametrize("size", [128, 256])
def test_frames_are_as_long_as_the_speech(tmp_path: Path, photograph: NDArray[np.uint8], size: int) -> None:
    shown = frames(write_bundle(tmp_path / "models", size=size), photograph)
    assert shown.shape == (13, size, size, 3)
    assert shown.dtype == np.uint8


def test_speech_is_heard_with_the_window_of_the_training(
    tmp_path: Path, photograph: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever params.yaml says by now."""
    bundle = write_bundle(tmp_path / "models")
    before = frames(bundle, photograph)
    params = (ROOT / "params.yaml").read_text()
    assert "window: 0.025" in params
    (tmp_path / "params.yaml").write_text(params.replace("window: 0.025", "window: 0.05"))
    monkeypatch.chdir(tmp_path)
    np.testing.assert_array_equal(frames(bundle, photograph), before)
    other = TalkingHead.from_pretrained(write_bundle(tmp_path / "other", speech=SpeechFeatures.of(0.05)))
    ours, others = (
        next(head.preprocessing.windows(Sound([sound(0.5)]), 13))
        for head in (TalkingHead.from_pretrained(bundle), other)
    )
    assert not np.array_equal(ours, others)


def test_bands_are_normalised_over_all_of_the_speech(tmp_path: Path, photograph: NDArray[np.uint8]) -> None:
    """Before the first frame, so that chunks are what one piece would be."""
    features = SpeechFeatures.of(0.025, "log_mel", "clip")
    folder = write_bundle(tmp_path / "models", speech=features)
    assert frames(folder, photograph).shape == (13, 128, 128, 3)
    head, samples = TalkingHead.from_pretrained(folder), sound(3.0)
    samples[:24000] //= 8
    pieces = np.concatenate(list(head.preprocessing.windows(Sound([samples]), 75, chunk=10)))
    np.testing.assert_allclose(pieces, windows(normalised(features.compute(samples)), 75), atol=5e-3)


def test_adaptive_bands_come_with_the_speech(tmp_path: Path, photograph: NDArray[np.uint8]) -> None:
    """From the bundle's statistics on, the same in any blocks of sound."""
    features = SpeechFeatures.of(0.025, "log_mel", "adaptive", InitialStatistics((-8.0,) * 27, (3.0,) * 27))
    folder = write_bundle(tmp_path / "models", speech=features)
    assert frames(folder, photograph).shape == (13, 128, 128, 3)
    head, samples = TalkingHead.from_pretrained(folder), sound(3.0)
    pieces = np.concatenate(list(head.preprocessing.windows(Sound(np.array_split(samples, 7)), 75, chunk=10)))
    np.testing.assert_allclose(pieces, windows(features.finish(features.compute(samples)), 75), atol=5e-3)


def test_what_this_version_does_not_compute_is_refused(tmp_path: Path) -> None:
    folder = write_bundle(tmp_path / "models")
    card = folder / "atnet" / "model.json"
    card.write_text(card.read_text().replace('"hop": 160', '"hop": 80'))
    with pytest.raises(PipelineError, match=r"models/atnet was trained on other speech features .*hop=80.*hop=160"):
        TalkingHead.from_pretrained(folder)


def test_arrays_are_checked(tmp_path: Path, photograph: NDArray[np.uint8]) -> None:
    head = TalkingHead.from_pretrained(write_bundle(tmp_path / "models"))
    with pytest.raises(PipelineError, match=r"The picture is uint8 \(512, 512\)\. Give RGB as uint8"):
        next(head.generate(photograph[:, :, 0], sound(0.5)))
    with pytest.raises(PipelineError, match=r"The speech is float64 \(800,\)\. Give 16 kHz mono samples as int16"):
        next(head.generate(photograph, sound(0.05).astype(np.float64)))
    with pytest.raises(PipelineError, match=r"The speech holds less sound than one video frame lasts"):
        next(head.generate(photograph, sound(0.01)))


def test_the_strength_scales_how_far_the_mouth_opens(photograph: NDArray[np.uint8]) -> None:
    """By the models that ship, on synthesised speech."""
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
