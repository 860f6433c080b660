"""LRW: where to apply for it, and whether what was unpacked is whole."""

import os
import re
from collections import Counter, defaultdict
from pathlib import Path

from rich import get_console
from rich.progress import track

from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath

WORDS = 500
CLIPS = {"train": 488_766, "val": 25_000, "test": 25_000}
"""The corpus's own numbers; so is: up to 1000 clips per word in train, 50 in val, 50 in test."""
_CLIPS_A_WORD = {"train": (1, 1000), "val": (50, 50), "test": (50, 50)}
_EXAMPLES = 3

_ADVICE = """\
LRW is given out for research under an agreement with BBC R&D.
  1. Apply for it: https://www.robots.ox.ac.uk/~vgg/data/lip_reading/lrw1.html
  2. Download the parts, lrw-v1-parta*, with the name and the password you are given.
  3. Join and unpack them: cat lrw-v1-parta* | tar xf - -C FOLDER
  4. Check the result: atvgnet fetch lrw --to FOLDER"""


def check_lrw(root: StrPath) -> list[str]:
    """Check every clip's name and size below ``root``, the folder of the words.

    Returns a line about each split. Raises PipelineError: where to apply when there is no word, else what is missing
    or wrong unless the corpus is whole.
    """
    root = Path(root)
    try:
        words = sorted(one.name for one in os.scandir(root) if one.is_dir() and not one.name.startswith("."))
        if not words:
            raise FileNotFoundError
        counts, faults = _count(root, words)
    except (FileNotFoundError, NotADirectoryError):
        raise PipelineError(f"{root} does not hold LRW's words.\n{_ADVICE}") from None
    except OSError as error:
        raise PipelineError(f"{error.filename} cannot be read: {error.strerror}. Fix that.") from error
    totals = {split: sum(counts[word][split] for word in words) for split in CLIPS}
    told = [f"{totals[split]:,} clips of {whole:,} in {split}" for split, whole in CLIPS.items()]
    if faults or len(words) != WORDS or totals != CLIPS:
        some = [
            f"{len(names):,} {what}: {', '.join(names[:_EXAMPLES])}{', ...' if len(names) > _EXAMPLES else ''}"
            for what, names in faults.items()
        ]
        found = "".join(f"\n  {line}" for line in [f"{len(words)} words of {WORDS}", *told, *some])
        raise PipelineError(f"{root} is not the whole of LRW:{found}\nIt can be used as it is.\n{_ADVICE}")
    return [f"{WORDS} words", *told]


def _count(root: Path, words: list[str]) -> tuple[dict[str, Counter[str]], dict[str, list[str]]]:
    """How many clips of each word by split, and the names of what is wrong, by what it is."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    faults: dict[str, list[str]] = defaultdict(list)
    for word in track(words, "checking LRW", transient=True, disable=not get_console().is_terminal):
        right = re.compile(re.escape(word) + r"_\d{5}\.mp4")
        for split, (least, most) in _CLIPS_A_WORD.items():
            folder = root / word / split
            for one in os.scandir(folder) if folder.is_dir() else ():
                if one.name.startswith(".") or not one.name.endswith(".mp4"):
                    continue
                counts[word][split] += 1
                if not right.fullmatch(one.name):
                    faults["clips not named WORD_NNNNN.mp4"].append(f"{word}/{split}/{one.name}")
                if not one.stat().st_size:
                    faults["empty clips"].append(f"{word}/{split}/{one.name}")
            count = counts[word][split]
            if not least <= count <= most:
                usual = f"{most}" if least == most else f"{least} to {most}"
                faults[f"words without {usual} clips in {split}"].append(f"{word} has {count}")
    return counts, faults
