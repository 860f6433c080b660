"""GRID's sentences (Cooke, Barker, Cunningham and Shao 2006): command colour preposition letter digit adverb."""

from dataclasses import dataclass
from itertools import product

import numpy as np

from pipeline.runtime.errors import PipelineError

COMMANDS = ("bin", "lay", "place", "set")
COLOURS = ("blue", "green", "red", "white")
PREPOSITIONS = ("at", "by", "in", "with")
LETTERS = tuple("abcdefghijklmnopqrstuvxyz")  # no w: it alone has three syllables
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
ADVERBS = ("again", "now", "please", "soon")


@dataclass(frozen=True)
class Sentence:
    """Six words and the name that GRID gives them."""

    words: tuple[str, ...]

    @property
    def name(self) -> str:
        """GRID's file name: the words' first letters, with the digit as a digit and z for zero (``bbaf2n``)."""
        digit = DIGITS.index(self.words[4])
        initials = [word[0] for word in self.words]
        initials[4] = "z" if digit == 0 else str(digit)
        return "".join(initials)


def draw_sentences(count: int, rng: np.random.Generator) -> list[Sentence]:
    """``count`` different sentences out of the grammar's 64,000, in random order."""
    sentences = [Sentence(words) for words in product(COMMANDS, COLOURS, PREPOSITIONS, LETTERS, DIGITS, ADVERBS)]
    if count > len(sentences):
        raise PipelineError(
            f"corpora.sample asks for {count} sentences (speakers times sentences), but the grammar has only "
            f"{len(sentences)} different ones. Lower corpora.sample.speakers or corpora.sample.sentences."
        )
    return [sentences[i] for i in rng.choice(len(sentences), size=count, replace=False)]
