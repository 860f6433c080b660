import random
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.shards.plan import Item, cut, shard_name


def items(ids: list[str]) -> list[Item]:
    return [Item(clip, "") for clip in ids]


IDS = [f"s{number % 33}/clip{number:05d}" for number in range(20_000)]


@given(st.sets(st.text(min_size=1)), st.integers(1, 20))
def test_every_item_is_in_one_shard_in_order(ids: set[str], size: int) -> None:
    whole = items(sorted(ids))
    shards = cut(whole, size)
    assert list(chain(*shards)) == whole
    assert all(shards)


@pytest.mark.parametrize("size", [1, 2, 5, 16, 64])
def test_sizes(size: int) -> None:
    sizes = [len(shard) for shard in cut(items(sorted(IDS)), size)]
    assert sum(sizes) / len(sizes) == pytest.approx(size, rel=0.05)
    assert max(sizes) <= max(1, 6 * size)
    typical = [one for one in sizes if size / 3 <= one <= 2.5 * size]
    assert len(typical) >= 0.9 * len(sizes)


@pytest.mark.parametrize("size", [4, 16, 64])
def test_ten_changes_change_about_ten_shards(size: int) -> None:
    """Wherever they fall; with a fixed number of clips per shard all shards after the first change would be others."""
    draw = random.Random(size)
    before = {tuple(one.id for one in shard) for shard in cut(items(sorted(IDS)), size)}
    ids = set(IDS)
    ids -= set(draw.sample(IDS, 5))
    ids |= {f"s{draw.randrange(33)}/new{number}" for number in range(5)}
    after = {tuple(one.id for one in shard) for shard in cut(items(sorted(ids)), size)}
    assert 1 <= len(after - before) <= 20
    assert len(before - after) <= 20


def test_the_name_tells_the_rows() -> None:
    assert shard_name([("a", "1"), ("b", "2")]) == shard_name(iter([("a", "1"), ("b", "2")]))
    names = {shard_name(rows) for rows in ([("a", "1")], [("a", "2")], [("b", "1")], [("a", "1"), ("b", "1")], [])}
    assert len(names) == 5
