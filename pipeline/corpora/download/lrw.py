"""LRW: where to apply for it, and a check of the unpacked corpus."""

import os
import re
from collections import Counter, defaultdict
from pathlib import Path

from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath
from pipeline.runtime.progress import with_progress

WORDS = 500
CLIPS = {"train": 488_766, "val": 25_000, "test": 25_000}
"""The complete corpus, with up to 1000 clips per word in train, and 50 in val and test."""
_CLIPS_A_WORD = {"train": (1, 1000), "val": (50, 50), "test": (50, 50)}
_EXAMPLES = 3

_ADVICE = """\
LRW is given out for research under an agreement with BBC R&D.
  1. Apply for it: https://www.robots.ox.ac.uk/~vgg/data/lip_reading/lrw1.html
  2. Download the parts, lrw-v1-parta*, with the name and the password you are given.
  3. Join and unpack them: cat lrw-v1-parta* | tar xf - -C FOLDER
  4. Check the result: atvgnet fetch lrw --to FOLDER"""


def check_lrw(root: StrPath) -> list[str]:
    """Check the names and sizes of all clips below ``root``, the folder of the words.

    Returns a line per split. Raises PipelineError with what is missing, or where to apply if nothing is there.
    """
    root = Path(root)
    try:
        words = sorted(entry.name for entry in os.scandir(root) if entry.is_dir() and not entry.name.startswith("."))
        if not words:
            raise FileNotFoundError
        counts, faults = _count(root, words)
    except (FileNotFoundError, NotADirectoryError):
        raise PipelineError(f"{root} does not hold LRW's words.\n{_ADVICE}") from None
    except OSError as error:
        raise PipelineError(f"{error.filename} cannot be read: {error.strerror}. Fix that.") from error
    totals = {split: sum(counts[word][split] for word in words) for split in CLIPS}
    lines = [f"{totals[split]:,} clips of {whole:,} in {split}" for split, whole in CLIPS.items()]
    if faults or len(words) != WORDS or totals != CLIPS:
        for what, names in faults.items():
            lines.append(f"{len(names):,} {what}: {', '.join(names[:_EXAMPLES])}{', ...' * (len(names) > _EXAMPLES)}")
        details = "".join(f"\n  {line}" for line in [f"{len(words)} words of {WORDS}", *lines])
        raise PipelineError(f"{root} is not the whole of LRW:{details}\nIt can be used as it is.\n{_ADVICE}")
    return [f"{WORDS} words", *lines]


def _count(root: Path, words: list[str]) -> tuple[dict[str, Counter[str]], dict[str, list[str]]]:
    """Clips of each word by split, and the names of faulty files by kind of fault."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    faults: dict[str, list[str]] = defaultdict(list)
    for word in with_progress(words, "checking LRW", len(words)):
        valid = re.compile(re.escape(word) + r"_\d{5}\.mp4")
        for split, (least, most) in _CLIPS_A_WORD.items():
            folder = root / word / split
            for file in os.scandir(folder) if folder.is_dir() else ():
                if file.name.startswith(".") or not file.name.endswith(".mp4"):
                    continue
                counts[word][split] += 1
                if not valid.fullmatch(file.name):
                    faults["clips not named WORD_NNNNN.mp4"].append(f"{word}/{split}/{file.name}")
                if not file.stat().st_size:
                    faults["empty clips"].append(f"{word}/{split}/{file.name}")
            count = counts[word][split]
            if not least <= count <= most:
                usual = f"{most}" if least == most else f"{least} to {most}"
                faults[f"words without {usual} clips in {split}"].append(f"{word} has {count}")
    return counts, faults
