"""Which clips share a shard, and the shard's name."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

PREFIX = "shard-"
UNFINISHED = ""
"""The ``key`` of a preliminary row, such as that of a clip whose decoder hung; the next build computes it again."""


@dataclass(frozen=True, slots=True)
class Item:
    """A clip that gets a row."""

    id: str
    key: str
    """The hash of everything that determines its row."""
    source: Any = None
    """The input of the row's computation, for a worker process."""


def row_key(*parts: object) -> str:
    """A hash of everything that determines a row: the clip's content, the params, the code's version."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def cut(items: Sequence[Item], size: int) -> list[Sequence[Item]]:
    """Cut ``items`` into runs of ``size`` on average, from a third to four times as many.

    A shard begins at an item whose id has the lowest hash of the ``size`` items around it, so a cut depends only on
    these. Added or removed clips change the shard they belong to, sometimes its neighbour, and no other. With a fixed
    number of clips per shard, all later shards would change.
    """
    if not items:
        return []
    digests = (hashlib.sha256(item.id.encode()).digest()[:8] for item in items)
    hashes = np.array([int.from_bytes(digest, "little") for digest in digests], np.uint64)
    before = (size - 1) // 2
    padded = np.pad(hashes, (before, size - 1 - before), constant_values=np.iinfo(np.uint64).max)
    lowest = np.lib.stride_tricks.sliding_window_view(padded, size).min(axis=1)
    starts = [0, *(np.flatnonzero(hashes[1:] == lowest[1:]) + 1).tolist(), len(items)]
    return [items[start:stop] for start, stop in pairwise(starts)]


def shard_name(rows: Iterable[tuple[str, str]]) -> str:
    """The file name of a shard of these rows (id, key): a hash of everything that determines its bytes."""
    content = hashlib.sha256("".join(f"{clip}\0{key}\n" for clip, key in rows).encode()).hexdigest()
    return f"{PREFIX}{content[:20]}.parquet"
