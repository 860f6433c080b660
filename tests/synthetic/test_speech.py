import hashlib
from itertools import pairwise

import numpy as np
import pytest

from pipeline.speech.espeak import RATE, Voice, synthesise
from pipeline.speech.phonemes import Segment
from pipeline.synthetic.motion import VISEMES, mouth_track
from pipeline.synthetic.sentences import LETTERS, Sentence
from pipeline.synthetic.speakers import draw_appearances
from pipeline.synthetic.speech import FRAMES, SECONDS, alignment, speak
from pipeline.synthetic.speech import RATE as TRACK_RATE

VOICE = Voice("en-us+f2", rate=150, pitch=50, pitch_range=50)
SENTENCE = Sentence(("place", "blue", "by", "m", "five", "please"))


def _sound(words: tuple[str, ...], voice: Voice) -> str:
    return hashlib.sha256(synthesise(words, voice).samples_N.tobytes()).hexdigest()


def test_speech_does_not_depend_on_what_was_said_before() -> None:
    other = Voice("en-gb-scotland+f4", rate=170, pitch=30, pitch_range=20)
    first = _sound(SENTENCE.words, VOICE)
    assert _sound(("set", "red"), other) != first
    assert _sound(SENTENCE.words, VOICE) == first


def test_words_and_phonemes_follow_each_other() -> None:
    said = synthesise(SENTENCE.words, VOICE)
    assert [one.label for one in said.words] == list(SENTENCE.words)
    for segments in (said.words, said.phonemes):
        assert all(a.end == b.start for a, b in pairwise(segments))
        assert 1.0 < segments[-1].end <= len(said.samples_N) / RATE
    assert "".join(one.label for one in said.phonemes).startswith("pl")


def test_an_unknown_voice_is_no_silence() -> None:
    with pytest.raises(RuntimeError, match="no voice nobody"):
        synthesise(["bin"], Voice("nobody", 150, 50, 50))


@pytest.mark.parametrize("letter", LETTERS)
def test_every_voice_fits_every_letter_into_a_clip(letter: str) -> None:
    for appearance in draw_appearances(8, seed=0):
        sentence = Sentence(("place", "white", "with", letter, "seven", "please"))
        track = speak(sentence, appearance.voice, np.random.default_rng(0))
        assert len(track.samples_N) == SECONDS * TRACK_RATE
        assert track.words[0].start > 0.1
        assert track.words[-1].end < SECONDS - 0.1
        assert np.abs(track.samples_N).max() < 32767


def test_sound_is_where_the_alignment_says() -> None:
    track = speak(SENTENCE, VOICE, np.random.default_rng(3))
    loud = np.abs(track.samples_N.astype(float)) > 300
    first, last = np.flatnonzero(loud)[[0, -1]] / TRACK_RATE
    assert track.words[0].start - 0.02 < first < track.words[0].start + 0.12
    assert track.words[-1].end - 0.2 < last < track.words[-1].end + 0.1


def test_alignment_is_grids() -> None:
    words = (Segment("bin", 0.5, 0.75), Segment("blue", 0.75, 1.0))
    assert alignment(words) == "0 12500 sil\n12500 18750 bin\n18750 25000 blue\n25000 75000 sil\n"


def test_lips_close_at_p_b_and_m_and_open_for_vowels() -> None:
    track = speak(SENTENCE, VOICE, np.random.default_rng(0))
    mouth = mouth_track(track.phonemes, articulation=1.0)
    assert all(len(values_T) == FRAMES for values_T in mouth.values())
    for phoneme in track.phonemes:
        middle = int((phoneme.start + phoneme.end) / 2 * 25)
        near = slice(middle - 1, middle + 2)
        if phoneme.label in ("p", "b", "m"):
            assert mouth["opening"][near].min() < 0.03
    assert mouth["opening"].max() > 0.4
    assert mouth["opening"][0] < 0.02
    assert mouth["opening"][-1] < 0.02


def test_lips_are_rounded_for_oo_and_spread_for_ee() -> None:
    def width(vowel: str) -> float:
        return float(mouth_track((Segment(vowel, 1.0, 1.3),), 1.0)["width"][28])

    assert width("u") < -0.6
    assert width("y") < -0.5
    assert width("i") > 0.6


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "zwölf schöne Bücher für euch, ich möchte nach München fahren und jetzt Äpfel pflücken"),
        ("fr", "huit agneaux, un bon vin rouge et du beurre pour deux jeunes garçons dans la rue"),
    ],
)
def test_lips_know_the_phonemes_of_other_languages(language: str, text: str) -> None:
    said = synthesise(text.split(), Voice(f"{language}+m7", 150, 50, 50))
    symbols = {symbol for phoneme in said.phonemes for symbol in phoneme.label}
    assert {"ø", "y"} & symbols
    assert not symbols - VISEMES.keys() - set("ˈˌː̃-")  # stress, length, nasality: no matter of the lips
