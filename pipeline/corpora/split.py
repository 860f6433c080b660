"""Seeded splits and draws that depend on the names alone: never on their order, the machine or the Python version."""

import hashlib
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from pipeline.corpora.base import SPLITS, Clip, Split
from pipeline.runtime.errors import PipelineError

log = logging.getLogger(__name__)


def rank(seed: int, name: str) -> str:
    """Where ``name`` stands in a seeded shuffle: the SHA-256 of ``seed:name``, to sort by."""
    return hashlib.sha256(f"{seed}:{name}".encode()).hexdigest()


def split_names(
    names: Iterable[str],
    *,
    seed: int,
    val: float,
    test: float,
    keys: str,
    what: str = "clips",
    group: Callable[[str], str] = lambda name: "",
) -> dict[str, Split]:
    """Give every name a split: ``round(N * test)`` to test, ``round(N * val)`` to val, one at least, the rest to train.

    Every ``group`` (the speaker, say) is spread over the splits in these shares as far as it has names enough.
    Raises PipelineError telling to change ``keys`` when train, val and test cannot all have one of ``what``.
    """
    quantile: dict[str, float] = {}
    for members in _shuffled_groups(names, seed, group):
        quantile.update({name: (place + 0.5) / len(members) for place, name in enumerate(members)})
    order = sorted(quantile, key=lambda name: (quantile[name], rank(seed, name)))
    tests = max(1, round(len(order) * test))
    vals = max(1, round(len(order) * val))
    if tests + vals >= len(order):
        raise PipelineError(
            f"{len(order)} {what} cannot be split into train, val and test with val = {val:.3g} and "
            f"test = {test:.3g}: train would be empty. Change {keys}."
        )
    return {
        name: "test" if place < tests else "val" if place < tests + vals else "train"
        for place, name in enumerate(order)
    }


def draw(names: Iterable[str], count: int, *, seed: int, group: Callable[[str], str] = lambda name: "") -> list[str]:
    """At most ``count`` names, sorted, drawn evenly: one of each group, then a second of each, and so on. 0 is all."""
    if not count:
        return sorted(names)
    turns: list[tuple[int, str]] = []
    for members in _shuffled_groups(names, seed, group):
        turns += enumerate(members)
    return sorted(name for _, name in sorted(turns, key=lambda turn: (turn[0], rank(seed, turn[1])))[:count])


def unite_equal(clips: list[Clip], hashes: Mapping[Path, str]) -> list[Clip]:
    """The clips, those of equal content in one split: that of most of them, unless another would have no clip then.

    ``hashes`` are the files' SHA-256, empty for what could not be read. Warns with the number of copies and an example,
    and where copies are all that two splits have, so that they stay in both.
    """
    groups: dict[tuple[str, float, float | None], list[Clip]] = defaultdict(list)
    for clip in clips:
        groups[hashes[clip.path] or clip.id, clip.start, clip.duration].append(clip)
    equal = [group for group in groups.values() if len(group) > 1]
    if not equal:
        return clips
    splits: dict[str, Split] = {clip.id: clip.split for clip in clips}
    outcome = "Equal clips are in one split."
    for group in equal:
        votes, counts = Counter(splits[clip.id] for clip in group), Counter(splits.values())
        emptied = [split for split in votes if votes[split] == counts[split]]
        homes = [split for split in votes if not set(emptied) - {split}]
        if homes:
            home = max(homes, key=lambda split: (votes[split], SPLITS.index(split)))
            splits |= dict.fromkeys((clip.id for clip in group), home)
        else:
            outcome = "Some are all that two splits have, and stay in both: add other clips."
    copies = sum(map(len, equal)) - len(equal)
    log.warning("%d clips are copies of others, such as %s of %s. %s", copies, equal[0][1].id, equal[0][0].id, outcome)
    return [replace(clip, split=splits[clip.id]) for clip in clips]


def _shuffled_groups(names: Iterable[str], seed: int, group: Callable[[str], str]) -> list[list[str]]:
    members: dict[str, list[str]] = defaultdict(list)
    for name in set(names):
        members[group(name)].append(name)
    return [sorted(one, key=lambda name: rank(seed, name)) for one in members.values()]
