"""Which clips stand together in a shard, and what the shard is called."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

PREFIX = "shard-"
UNFINISHED = ""
"""The key of a row that is not a final answer, such as that of a clip whose decoder hung: ``compute`` puts it in the
row's ``key``, and the next build computes the row again."""


@dataclass(frozen=True, slots=True)
class Item:
    """One clip to be sharded."""

    id: str
    key: str
    """The hash of all that its row depends on."""
    source: Any = None
    """What the row is computed from; goes to a worker process only when it is."""


def row_key(*parts: object) -> str:
    """The hash of all that a row's bytes depend on: the clip's content, the params, the code's version."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def cut(items: Sequence[Item], size: int) -> list[Sequence[Item]]:
    """Cut ``items`` into shards of ``size`` on average, from a third to four times as many, neighbours together.

    A shard begins at an item whose id has the lowest hash of the ``size`` items around it. So no cut depends on what is
    farther away than that: clips that are added or removed change the shards they fall into, at times one beside, and
    leave all others as they are. With a fixed number of clips per shard, every shard behind them would change.
    """
    if not items:
        return []
    hashes = np.array([_hash(item.id) for item in items], np.uint64)
    before = (size - 1) // 2
    padded = np.pad(hashes, (before, size - 1 - before), constant_values=np.iinfo(np.uint64).max)
    lowest = np.lib.stride_tricks.sliding_window_view(padded, size).min(axis=1)
    starts = [0, *(np.flatnonzero(hashes[1:] == lowest[1:]) + 1).tolist(), len(items)]
    return [items[start:stop] for start, stop in pairwise(starts)]


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")


def shard_name(rows: Iterable[tuple[str, str]]) -> str:
    """The file of a shard of these rows (id, key): it says all that the bytes depend on."""
    content = hashlib.sha256("".join(f"{clip}\0{key}\n" for clip, key in rows).encode()).hexdigest()
    return f"{PREFIX}{content[:20]}.parquet"
