"""A picture of the corpus: a row per speaker, from closed lips to the widest opening."""

from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

_SPEAKERS = 8  # rows at most
_OPENINGS = (0.0, 0.3, 0.5, 0.75, 1.0)  # of the largest opening of the clip
_CROP = (slice(8, 248), slice(60, 300))
_SIDE, _GAP = 132, 4


def draw_contact_sheet(script: pd.DataFrame, folder: Path) -> None:
    """Read frames of each speaker's first clip back from ``folder`` and write ``contact_sheet.png`` into it."""
    rows = []
    for speaker in script["speaker"].unique()[:_SPEAKERS]:
        clip = script[script["speaker"] == speaker]
        clip = clip[clip["name"] == clip["name"].iloc[0]]
        opening_T = clip["opening"].to_numpy()
        wanted = [int(np.argmin(np.abs(opening_T - share * opening_T.max()))) for share in _OPENINGS]
        frames = _frames(folder / speaker / f"{clip['name'].iloc[0]}.mpg", max(wanted) + 1)
        rows.append([cv2.resize(frames[t][_CROP], (_SIDE, _SIDE), interpolation=cv2.INTER_AREA) for t in wanted])
    sheet = np.full((_pitch(len(rows)), _pitch(len(_OPENINGS)), 3), 255, np.uint8)
    for i, row in enumerate(rows):
        for j, picture in enumerate(row):
            top, left = _pitch(i), _pitch(j)
            sheet[top : top + _SIDE, left : left + _SIDE] = picture
    Image.fromarray(sheet).save(folder / "contact_sheet.png", optimize=True)


def _pitch(count: int) -> int:
    return _GAP + count * (_SIDE + _GAP)


def _frames(path: Path, count: int) -> list[NDArray[np.uint8]]:
    with av.open(str(path)) as container:
        decoded = islice(container.decode(video=0), count)
        return [np.array(frame.to_ndarray(format="rgb24"), np.uint8) for frame in decoded]
