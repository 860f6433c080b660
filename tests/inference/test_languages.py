"""Speech in other languages than the models have heard moves the lips, and closes them where they must close."""

from pathlib import Path

import pytest

from benchmarks.languages import openings, spoken, with_level
from pipeline.inference.generator import Generator
from pipeline.inference.settings import Settings
from pipeline.inference.talking_head import TalkingHead
from pipeline.speech.phonemes import Phoneme


@pytest.mark.parametrize("language", ["de", "fr", "cmn"])
def test_lips_move(shipped: TalkingHead, face_file: Path, language: str) -> None:
    """As far as a mouth that speaks does, with the sound, and closed at p, b and m."""
    generator = Generator(shipped, face_file, Settings(crop=True, blink=False))
    samples_N, phonemes_T = spoken(language)
    opening_T, movement = openings(generator, samples_N)
    assert movement > 0.25
    assert with_level(opening_T, samples_N) > 0.3
    assert opening_T[phonemes_T == Phoneme.BILABIAL].mean() < 0.5 * opening_T[phonemes_T == Phoneme.OPEN_VOWEL].mean()
