import re

import numpy as np
import pytest

from pipeline.corpora.sample import SyntheticParams
from pipeline.synthetic.build_sample import plan_clips
from pipeline.synthetic.sentences import Sentence, draw_sentences


def test_names_are_grids() -> None:
    assert Sentence(("bin", "blue", "at", "f", "two", "now")).name == "bbaf2n"
    assert Sentence(("place", "white", "with", "z", "zero", "please")).name == "pwwzzp"


def test_sentences_differ_and_follow_the_grammar() -> None:
    sentences = draw_sentences(5000, np.random.default_rng(0))
    assert len({one.name for one in sentences}) == 5000
    assert all(re.fullmatch(r"[blps][bgrw][abiw][a-vx-z][z1-9][anps]", one.name) for one in sentences)


def test_a_corpus_repeats_no_sentence_and_no_look() -> None:
    plans = plan_clips(SyntheticParams(speakers=8, sentences=9, seed=0))
    assert len({one.sentence.name for one in plans}) == 72
    for attribute in ("skin", "hair", "suit", "background", "shape"):
        assert len({getattr(one.appearance, attribute) for one in plans}) == 8
    assert len({one.appearance.voice.name for one in plans}) == 8


def test_another_seed_gives_another_corpus() -> None:
    one, other = (plan_clips(SyntheticParams(speakers=2, sentences=3, seed=seed)) for seed in (0, 1))
    assert one[0].appearance != other[0].appearance
    assert [plan.sentence for plan in one] != [plan.sentence for plan in other]


@pytest.mark.parametrize("key", ["speakers", "sentences", "seed"])
def test_bad_params_are_named(key: str) -> None:
    with pytest.raises(ValueError, match=rf"{key} must be .*; it is -1"):
        SyntheticParams(**{key: -1})
