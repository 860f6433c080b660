"""Forced alignment, compared with the times that espeak-ng reports for its own speech."""

import numpy as np
import pytest

from pipeline.speech.forced_alignment import NotAligned, align
from tests.speech.spoken import LEAD, say


def test_words_and_lip_closures_are_where_espeak_put_them() -> None:
    samples_N, utterance = say("she sells small boats near the beach")
    found = align(samples_N, "She sells small boats near the beach!")
    assert [word.label for word in found.words] == ["she", "sells", "small", "boats", "near", "the", "beach"]
    errors = [word.start - spoken.start - LEAD for word, spoken in zip(found.words, utterance.words, strict=True)]
    assert np.abs(errors).max() < 0.1
    closures = [phoneme.start for phoneme in found.phonemes if phoneme.label in {"p", "b", "m"}]
    spoken = [phoneme.start + LEAD for phoneme in utterance.phonemes if set(phoneme.label) & set("pbm")]
    assert closures == pytest.approx(spoken, abs=0.06)


def test_phonemes_follow_each_other_and_pauses_have_no_label() -> None:
    samples_N, _ = say("place red in zed two soon")
    phonemes = align(samples_N, "place red in zed two soon").phonemes
    assert phonemes[0].label == phonemes[-1].label == ""
    assert [one.end for one in phonemes[:-1]] == pytest.approx([other.start for other in phonemes[1:]], abs=0.011)
    assert phonemes == align(samples_N, "place red in zed two soon").phonemes


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("completely different words are here now and they do not fit", "does not fit the recording"),
        ("place red in zzyzxq two soon", 'no word "zzyzxq"'),
        ("上海嘉定", "no transcript in English letters"),
    ],
)
def test_a_wrong_transcript_is_refused_with_a_reason(text: str, reason: str) -> None:
    samples_N, _ = say("place red in zed two soon")
    with pytest.raises(NotAligned, match=reason):
        align(samples_N, text)
