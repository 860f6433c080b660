"""`benchmarks/portraits.py`: measures and a contact sheet of photographs that speak."""

import math
import shutil
from pathlib import Path

import cv2
import pytest

from benchmarks import portraits
from benchmarks.portraits import FACE, MEASURES, TILE, run, speak, table
from pipeline.inference.compositing.panels import LABEL_HEIGHT
from pipeline.speech.phonemes import Phoneme

SENTENCE = "a map"


def test_the_sentence_has_known_bilabials_and_a_rest() -> None:
    speech = speak(portraits.SENTENCE)
    assert 2.5 < len(speech.samples_N) / 16000 < 3.5
    assert (speech.phonemes_T == Phoneme.BILABIAL).sum() >= 8
    assert speech.rest.stop <= len(speech.phonemes_T)
    assert not speech.phonemes_T[speech.rest].any()


@pytest.mark.slow
def test_a_broken_photograph_does_not_stop_the_others(
    face_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has a row with the reason, and a second run generates finished photographs no more."""
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    face = tmp_path / "face.jpg"
    shutil.copy(face_file, face)
    photos, out = [tmp_path / "broken.jpg", face], tmp_path / "out"
    broken, good = rows = run(photos, None, out, SENTENCE)
    assert "broken.jpg" in broken.reason
    assert not broken.measures
    assert good.reason == ""
    assert list(good.measures) == list(MEASURES)
    assert all(math.isfinite(value) for value in good.measures.values())
    assert 0 < good.measures["rest"] < 0.1
    assert good.measures["spread"] > 0.3
    sheet_HWC = cv2.imread(str(out / "contact_sheet.png"))
    assert sheet_HWC is not None
    assert sheet_HWC.shape == (3 * LABEL_HEIGHT + FACE, FACE + 5 * TILE[0], 3)
    lines = list(table(rows))
    assert max(map(len, lines)) <= 80
    assert lines[-1] == "failed: 1 of 2"

    generated: list[Path] = []
    monkeypatch.setattr(portraits, "generate", lambda head, photo, speech: generated.append(photo))
    again = run(photos, None, out, SENTENCE)
    assert generated == photos[:1]
    assert again[1] == good
