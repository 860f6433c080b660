"""Seeded splits and samples. They depend on the names alone, not on order, machine or Python version."""

import hashlib
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pipeline.corpora.base import SPLITS, Clip, Split
from pipeline.runtime.errors import PipelineError

log = logging.getLogger(__name__)


def rank(seed: int, name: str) -> str:
    """The sort key of ``name`` in a seeded shuffle: the SHA-256 of ``seed:name``."""
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
    """Assign every name to a split.

    Args:
        names: The N names.
        seed: Seed of the shuffle.
        val: Share for val, which gets ``round(N * val)`` names, but at least one.
        test: Share for test, likewise. Train gets the rest.
        keys: The keys of params.yaml to change, for messages.
        what: What the names stand for, for messages.
        group: The group of a name, such as its speaker; large groups are spread over the splits in these shares.

    Raises:
        PipelineError: Train would be empty.
    """
    quantile: dict[str, float] = {}
    for members in _shuffled_groups(names, seed, group):
        quantile.update({name: (place + 0.5) / len(members) for place, name in enumerate(members)})
    ordered = sorted(quantile, key=lambda name: (quantile[name], rank(seed, name)))
    too_few = (
        f"{len(ordered)} {what} cannot be split into train, val and test with val = {val:.3g} and "
        f"test = {test:.3g}: {fewest(val, test)} or more are needed. Change {keys}."
    )
    return in_turn(ordered, ("test", "val", "train"), val=val, test=test, too_few=too_few)


def in_turn(names: Sequence[str], order: Iterable[Split], *, val: float, test: float, too_few: str) -> dict[str, Split]:
    """Assign the first names to the first split of ``order``, and so on, in the shares of `split_names`.

    Raises PipelineError with the message ``too_few`` if train would be empty.
    """
    counts = _counts(len(names), val, test)
    if counts["train"] < 1:
        raise PipelineError(too_few)
    splits = (split for split in order for _ in range(counts[split]))
    return dict(zip(names, splits, strict=True))


def fewest(val: float, test: float) -> int:
    """The number of names from which on these shares leave names for train."""
    return 1 + max(number for number in range(1000) if _counts(number, val, test)["train"] < 1)


def _counts(number: int, val: float, test: float) -> dict[Split, int]:
    held_out: dict[Split, int] = {"test": max(1, round(number * test)), "val": max(1, round(number * val))}
    return {**held_out, "train": number - sum(held_out.values())}


def draw(names: Iterable[str], count: int, *, seed: int, group: Callable[[str], str] = lambda name: "") -> list[str]:
    """A sorted sample of at most ``count`` names (0: all): one of each group, then a second of each, and so on."""
    if not count:
        return sorted(names)
    turns: list[tuple[int, str]] = []
    for members in _shuffled_groups(names, seed, group):
        turns += enumerate(members)
    return sorted(name for _, name in sorted(turns, key=lambda turn: (turn[0], rank(seed, turn[1])))[:count])


def unite_copies(clips: list[Clip], hashes: Mapping[Path, str]) -> list[Clip]:
    """Move clips of equal content into one split, so that training never sees a test clip.

    That is the split of most of them, unless another split would become empty. If two splits consist of copies alone,
    the copies stay. A warning gives the number of copies and an example. The files' ``hashes`` are empty for unreadable
    files.
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
    return [sorted(group_names, key=lambda name: rank(seed, name)) for group_names in members.values()]
