"""What speakers say: sentences of GRID's grammar (Cooke, Barker, Cunningham and Shao 2006), or other English words."""

from dataclasses import dataclass
from itertools import product

import numpy as np

COMMANDS = ("bin", "lay", "place", "set")
COLOURS = ("blue", "green", "red", "white")
PREPOSITIONS = ("at", "by", "in", "with")
LETTERS = tuple("abcdefghijklmnopqrstuvxyz")  # without w, the only letter of three syllables
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
ADVERBS = ("again", "now", "please", "soon")


@dataclass(frozen=True)
class Sentence:
    """Words of one clip; GRID's are command, colour, preposition, letter, digit and adverb."""

    words: tuple[str, ...]

    @property
    def name(self) -> str:
        """GRID's file name: the words' initials, with the digit as a digit and z for zero (``bbaf2n``)."""
        return "".join("z123456789"[DIGITS.index(word)] if word in DIGITS else word[0] for word in self.words)


def draw_sentences(count: int, rng: np.random.Generator) -> list[Sentence]:
    """``count`` different sentences of the grammar's 64,000, in random order."""
    sentences = [Sentence(words) for words in product(COMMANDS, COLOURS, PREPOSITIONS, LETTERS, DIGITS, ADVERBS)]
    return [sentences[i] for i in rng.choice(len(sentences), size=count, replace=False)]


_VOCABULARY = """
    about above across action after almost always animal answer apple arrive autumn baby balance bathroom beach
    beauty because before begin behind believe between beyond birthday blanket bottle bridge brother brown budget
    build butter camera careful carpet central change cheap chicken children chocolate choose church circle clean
    climb clothes cloud coffee company corner cotton country cousin culture danger daughter decide deep desert
    different dinner doctor door double dream early earth engine enjoy enough evening example eye family farm father
    feather festival field finger fish flower follow football forget forward fresh friend garden gentle giant girl
    glass goodbye grandmother ground hammer happy harbour hello history holiday honey hope hospital house hundred
    idea important island jacket jelly journey juice jungle keep kitchen knowledge ladder language laugh leather
    lemon letter library little lunch machine market measure melody memory middle minute mirror moment money morning
    mother mountain mouth museum music narrow nature never nothing number ocean office onion open orange orchestra
    other over paper people pepper photograph picture pleasure pocket police popular potato power promise purple
    question quick quiet rabbit reason remember river round sailor sandwich school season second shadow shoe
    shoulder silver simple singer sister smooth snow soft soldier south special spoon station strange student sugar
    summer sunshine surprise table teacher television thank theatre thirsty thousand through thumb together tomorrow
    tooth travel treasure tree trouble under universe usual valley vegetable very village violin visit voice volume
    walk water weather welcome whisper window winter wonder world yellow yesterday young
"""


def draw_words(rng: np.random.Generator) -> Sentence:
    """Four to six random words. Together the list has every sound of English."""
    words = _VOCABULARY.split()
    return Sentence(tuple(words[i] for i in rng.choice(len(words), size=int(rng.integers(4, 7)), replace=False)))
