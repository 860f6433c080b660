"""What is to be said of a score's clips before its means are read: by system, as lines."""

from collections.abc import Iterator

import pandas as pd

A_FRAGMENT = "a fragment"
"""What the reason of a row begins with that has too few frames to be a clip."""
HIDDEN = 0.005
"""The share of the real face's crop from which on it is told that a system does not show it."""


def notes_by_system(clips: pd.DataFrame) -> Iterator[str]:
    """Lines on fragments, on shorter videos and on the area that is not shown, of the rows of clips.csv; none for an
    evaluation, which has no such columns.
    """
    if not {"reason", "shown", "note"} <= set(clips):
        return
    for system, rows in clips.groupby("method", sort=False):
        fragments = int(rows["reason"].str.startswith(A_FRAGMENT).sum())
        if fragments:
            verb = "is a fragment" if fragments == 1 else "are fragments"
            yield f"{system}: {fragments} of {len(rows)} clips {verb}, left out of the means."
        hidden = 1 - pd.to_numeric(rows["shown"]).dropna()
        if len(hidden) and hidden.mean() >= HIDDEN:
            yield (
                f"{system}: {hidden.mean():.1%} of the real face's crop is not shown (at most {hidden.max():.1%}). "
                "Pixels are compared where both videos show something."
            )
