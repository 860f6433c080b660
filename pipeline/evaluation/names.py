"""What the files about a clip are called."""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

LONGEST = 100
"""Characters, well below the 255 bytes of a file name, since DVC's plots put the folder before it."""


def file_stems(ids: Sequence[str]) -> dict[str, str]:
    """The stem of a file for each clip: its id in letters, digits, dots and hyphens of ASCII, with `_` for the rest.

    Such a name works in every file system, and unchanged in the addresses of web pages and of MLflow's artifacts. Where
    two clips of `ids` would share one, or differ in case alone, theirs end with a hash of the id.
    """
    stems = {one: _plain(one) for one in ids}
    taken = Counter(stem.casefold() for stem in stems.values())
    clear = {one: stem for one, stem in stems.items() if taken[stem.casefold()] == 1 and len(stem) <= LONGEST}
    return {one: clear.get(one) or f"{stem[:LONGEST]}-{_hash(one)}" for one, stem in stems.items()}


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text)
    kept = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return re.sub(r"[^A-Za-z0-9.-]", "_", kept)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
