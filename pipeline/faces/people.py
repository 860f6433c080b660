"""How many people a video shows, by the face descriptors of its clips."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage

APART = 0.5
"""Mean distance of face descriptors from which on clips show two people. One person has up to 0.44."""


def group_by_person(clips: Sequence[str], descriptors_N128: NDArray[np.float64]) -> list[list[str]]:
    """The clips of each person: the person with the most clips first, then the one who comes first."""
    if len(clips) < 2:
        return [list(clips)]
    numbers = fcluster(linkage(descriptors_N128, "average"), APART, "distance")
    groups = [[clip for clip, its in zip(clips, numbers, strict=True) if its == number] for number in set(numbers)]
    return sorted(groups, key=lambda group: (-len(group), clips.index(group[0])))
