"""Words with times to phonemes of frames."""

# ruff: noqa: RUF001 - the IPA has letters of its own

import importlib.util
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from pipeline.metrics import transcript
from pipeline.metrics.transcript import phonemes_of_words, spoken_phonemes
from pipeline.runtime.errors import PipelineError
from pipeline.speech.phonemes import Phoneme, Segment


def test_a_words_phonemes_fill_its_time() -> None:
    words = [Segment("", 0, 0.5), Segment("blue", 0.5, 1.1), Segment("m", 1.1, 1.5)]
    phonemes = phonemes_of_words(words)
    assert [one.label.strip("ˈː") for one in phonemes] == ["", "b", "l", "u", "ɛ", "m"]
    assert (phonemes[0].start, phonemes[-1].end) == pytest.approx((0, 1.5))
    assert all(before.end == pytest.approx(after.start) for before, after in pairwise(phonemes))
    assert phonemes[1].start == pytest.approx(0.5)


def test_letters_are_said_by_their_names() -> None:
    (a,) = phonemes_of_words([Segment("a", 0, 1)])
    assert a.label.endswith("eɪ")


def test_a_word_that_cannot_be_said_is_not_known() -> None:
    assert phonemes_of_words([Segment("...", 0, 1), Segment("two words", 1, 2)]) == []


def test_frames_count_from_where_the_clip_starts(tmp_path: Path) -> None:
    (tmp_path / "a.align").write_text("0 25000 sil\n25000 37500 m\n37500 50000 sil\n")
    whole = spoken_phonemes(tmp_path / "a.mp4", 50)
    assert set(whole[:25]) == set(whole[38:]) == {Phoneme.SILENCE}
    assert whole[25] == Phoneme.VOWEL
    assert whole[36] == Phoneme.BILABIAL
    np.testing.assert_array_equal(spoken_phonemes(tmp_path / "a.mp4", 20, start=0.8), whole[20:40])


def test_what_is_missing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PipelineError, match=r"each word of b\.mp4 is said is not known\. .* b\.align\."):
        spoken_phonemes(tmp_path / "b.mp4", 50)
    (tmp_path / "b.align").write_text("0 25000 bin\n")
    monkeypatch.setattr(
        transcript, "find_spec", lambda name: None if "espeak" in name else importlib.util.find_spec(name)
    )
    with pytest.raises(
        PipelineError, match=r"`pip install '\.\[pipeline\]'` in a clone .*'atvgnet\[pipeline\] @ git\+URL'"
    ):
        spoken_phonemes(tmp_path / "b.mp4", 50)


def test_every_sentence_of_grid_is_known(corpora: Path) -> None:
    """In all frames but the last, in which alignments end; names spell command, colour, preposition, letter, ..."""
    for path in sorted((corpora / "grid" / "s1").glob("*.mpg"))[:40]:
        classes, name = spoken_phonemes(path, 75), path.stem
        assert (classes[:74] != Phoneme.UNKNOWN).all(), path
        said = name[0] in "bp" or name[1] == "b" or name[2] == "b" or name[3] in "bmpw" or name[5] == "p"
        assert (classes == Phoneme.BILABIAL).any() == said, path  # bin, place; blue; by; b, m, p, double-u; please
