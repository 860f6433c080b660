"""The window of speech that belongs to a video frame (paper, section 4.1)."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

ROWS = 28
"""MFCC rows per window: 0.28 s."""
PER_FRAME = 4
"""MFCC rows per video frame: 100 Hz over 25 fps."""
AFTER = (ROWS - PER_FRAME) // 2
"""Rows of a window behind its frame, and before it."""


def windows(mfcc_RC: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """For each of ``frames`` video frames its window (frames, 28, C - 1), centred on the frame, without coefficient 0.

    Frame k shows from row 4k to row 4k + 4, so its window is rows 4k - 12 to 4k + 16. Beyond the speech's ends the
    first and last rows are repeated. Raises ValueError for speech without a single row.
    """
    if len(mfcc_RC) == 0:
        raise ValueError("there is no speech to cut windows from")
    missing = max(0, frames * PER_FRAME + AFTER - len(mfcc_RC))
    padded = np.pad(mfcc_RC[:, 1:], ((AFTER, missing), (0, 0)), mode="edge")
    cut = sliding_window_view(padded, ROWS, axis=0)[: frames * PER_FRAME : PER_FRAME]
    return cut.transpose(0, 2, 1).copy()  # a view of padded rows would be read-only
