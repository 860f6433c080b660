"""How large pictures and videos may be."""

LONGEST = 16_384
"""Pixels of a side: dlib writes past its memory in a picture wider than some 40,000; H.264 and HEVC have no more."""
ENOUGH = 25_000_000
"""Pixels; of a larger picture every few are averaged. A face that is found in it still has more than a crop shows."""
MOST = 108_000_000
"""Pixels that are decoded at full size, which is what all formats but one need: as many as the largest phones have."""
MOST_OF_A_VIDEO = 64_000_000
"""Pixels of a frame, twice 8K: decoders keep several."""
