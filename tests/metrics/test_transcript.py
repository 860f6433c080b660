"""Words and phonemes of frames."""

# ruff: noqa: RUF001 - the IPA has letters of its own

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from pipeline.corpora.alignment import find_alignment, read_alignment
from pipeline.metrics import transcript as transcript_module
from pipeline.metrics.transcript import Transcript, phonemes_of_words, transcribe
from pipeline.speech.phonemes import Phoneme, Segment


def test_phonemes_fill_the_time_of_their_word() -> None:
    words = [Segment("", 0, 0.5), Segment("blue", 0.5, 1.1), Segment("m", 1.1, 1.5)]
    phonemes = phonemes_of_words(words)
    assert [one.label.strip("ˈː") for one in phonemes] == ["", "b", "l", "u", "ɛ", "m"]
    assert (phonemes[0].start, phonemes[-1].end) == pytest.approx((0, 1.5))
    assert all(before.end == pytest.approx(after.start) for before, after in pairwise(phonemes))
    assert phonemes[1].start == pytest.approx(0.5)


def test_letters_are_spelled() -> None:
    (a,) = phonemes_of_words([Segment("a", 0, 1)])
    assert a.label.endswith("eɪ")


def test_unpronounceable_words_have_no_phonemes() -> None:
    assert phonemes_of_words([Segment("...", 0, 1), Segment("two words", 1, 2)]) == []


def test_words_and_phonemes_have_their_frames(tmp_path: Path) -> None:
    (tmp_path / "a.align").write_text("0 25000 sil\n25000 37500 m\n37500 50000 sil\n")
    transcript = transcribe(read_alignment(tmp_path / "a.align"), 50)
    assert transcript.words_T is not None
    assert transcript.words_T.tolist() == [""] * 25 + ["m"] * 12 + [""] * 13
    phonemes_T = transcript.phonemes_T
    assert phonemes_T is not None
    assert set(phonemes_T[:25]) == set(phonemes_T[38:]) == {Phoneme.SILENCE}
    assert phonemes_T[25] == Phoneme.VOWEL
    assert phonemes_T[36] == Phoneme.BILABIAL
    part = transcript.cut(slice(20, 40)).phonemes_T
    assert part is not None
    np.testing.assert_array_equal(part, phonemes_T[20:40])


def test_without_a_text_nothing_is_known() -> None:
    assert transcribe([], 50) == Transcript()


def test_without_espeak_only_words_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcript_module, "find_spec", lambda name: None)
    transcript = transcribe([Segment("bin", 0, 1)], 25)
    assert transcript.words_T is not None
    assert transcript.phonemes_T is None


@pytest.mark.slow
def test_every_grid_sentence_has_phonemes(corpora: Path) -> None:
    """In all frames but the last, where alignments end. A name spells command, colour, preposition, letter, ..."""
    for path in sorted((corpora / "grid" / "s1").glob("*.mpg"))[:12]:
        alignment = find_alignment(path)
        assert alignment
        phonemes_T, name = transcribe(read_alignment(alignment), 75).phonemes_T, path.stem
        assert phonemes_T is not None
        assert (phonemes_T[:74] != Phoneme.UNKNOWN).all(), path
        bilabial = name[0] in "bp" or name[1] == "b" or name[2] == "b" or name[3] in "bmpw" or name[5] == "p"
        assert (phonemes_T == Phoneme.BILABIAL).any() == bilabial, path  # bin, place; blue; by; b, m, p, w; please
