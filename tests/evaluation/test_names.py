import re

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.evaluation.folder import MAX_STEM, file_stems


def test_ordinary_ids_are_called_as_ever() -> None:
    """Those of the embedded corpus, GRID, LRW and of a folder of videos."""
    stems = file_stems(["s1/bbaf2n", "ABOUT/test/ABOUT_00001", "anna/interview#0003"])
    assert list(stems.values()) == ["s1_bbaf2n", "ABOUT_test_ABOUT_00001", "anna_interview_0003"]


def test_strange_ones_are_readable_where_they_can_be() -> None:
    ids = ["Müller/a b%20c#0001", "naïve?x=1&y#0", "C:\\film#0", "張三#0002"]
    assert list(file_stems(ids).values()) == ["Muller_a_b_20c_0001", "naive_x_1_y_0", "C__film_0", "___0002"]


def test_those_that_would_share_a_name_are_told_apart() -> None:
    """Also where the file system takes large and small letters for the same, and whoever else is in the split."""
    pairs = [("a/b", "a_b"), ("Anna#0", "anna#0"), ("müller", "muller"), ("é", "e\u0301"), ("x" * 300, "x" * 301)]
    for pair in pairs:
        first, second = file_stems(pair).values()
        assert first.casefold() != second.casefold()
        assert list(file_stems([*pair, "another"]).values()) == [first, second, "another"]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(min_size=1), unique=True, max_size=8))
def test_any_ids_have_names_of_their_own_that_work_everywhere(ids: list[str]) -> None:
    stems = file_stems([one.encode(errors="replace").decode() for one in ids])
    assert len({stem.casefold() for stem in stems.values()}) == len(stems)
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", stem) and len(stem) <= MAX_STEM + 9 for stem in stems.values())
