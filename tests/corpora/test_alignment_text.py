from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.corpora.alignment import pack, unpack
from pipeline.speech.phonemes import Segment

TIMES = st.integers(0, 10_000_000).map(lambda tick: tick / 25000)


@settings(max_examples=30)
@given(st.lists(st.builds(Segment, st.text(max_size=8), TIMES, TIMES), min_size=1, max_size=8))
def test_round_trip(words: list[Segment]) -> None:
    assert unpack(pack(words)) == tuple(words)


def test_times_are_relative_to_the_clips_start() -> None:
    words = [Segment("", 0.0, 1.0), Segment("blue", 1.0, 1.48)]
    assert unpack(pack(words, 0.6)) == (Segment("", -0.6, 0.4), Segment("blue", 0.4, 0.88))
    assert pack([]) == ""
    assert unpack("") == ()
