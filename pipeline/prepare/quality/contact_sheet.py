"""A picture of rejected clips: for each a frame with the landmarks, the reason and the metrics."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from pipeline.faces.crop import SIZE, from_crop, rescale
from pipeline.media import MediaError, read_frames
from pipeline.prepare.quality.limits import QUALITY_METRICS
from pipeline.runtime.clock import FPS
from pipeline.runtime.time_limit import TimedOut, within
from pipeline.shards.read import read_row

MOST = 36
"""Largest number of cards."""
COLUMNS = 6
WIDTH, HEIGHT = 240, 340
"""Size of a card in pixels; the upper part is the picture."""
PICTURE = (232, 176)
HEADER = 34
_BACK, _CARD, _GREY = (255, 255, 255), (238, 238, 238), (150, 150, 150)

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Sources:
    """Sources of the pictures: by id, rows of the manifest (``clips``) and of the stage landmarks (``faces``)."""

    clips: Mapping[str, Mapping[str, Any]]
    faces: Mapping[str, Mapping[str, Any]]
    root: Path
    """The corpus's folder."""
    shards: Path
    """The folder of the faces' shards."""
    size: int
    """Side of their crops in pixels."""
    time_limit: float = 0.0
    """Seconds before reading a file is given up; 0: never."""


def choose_rejected(table: pd.DataFrame, most: int = MOST) -> list[str]:
    """Ids of at most ``most`` rejected clips, spread evenly over the reasons."""
    lost = table[table["status"] != "ok"].sort_values("id")
    turns = lost.assign(turn=lost.groupby("reason").cumcount()).sort_values(["turn", "reason"])
    return list(turns["id"].head(most))


def draw_sheet(table: pd.DataFrame, sources: Sources) -> Picture:
    """The contact sheet, RGB (H, W, 3); without rejected clips it has only the header.

    A card shows the frame with a face nearest to the clip's middle, with the 68 points and the outline of the crop. It
    shows the middle frame if no face was found, and plain grey if the file could not be read.
    """
    rows = table.set_index("id", drop=False).loc[choose_rejected(table)].to_dict("records")
    count = max(1, -(-len(rows) // COLUMNS))
    sheet = Image.new("RGB", (COLUMNS * WIDTH, HEADER + (count * HEIGHT if len(rows) else 0)), _BACK)
    pen = ImageDraw.Draw(sheet)
    lost = int((table["status"] != "ok").sum())
    some = f"; {len(rows)} of them, evenly over the reasons" if lost > len(rows) else ""
    pen.text((8, 8), f"{lost or 'none'} of {len(table)} clips rejected{some}", font=_font(15), fill="black")
    for number, row in enumerate(rows):
        corner = (number % COLUMNS * WIDTH, HEADER + number // COLUMNS * HEIGHT)
        sheet.paste(Image.fromarray(draw_card(row, sources)), corner)
    return np.array(sheet, np.uint8)


def draw_card(row: Mapping[Any, Any], sources: Sources) -> Picture:
    """One clip's card (340, 240, 3); ``row`` is its row of the quality table."""
    card = Image.new("RGB", (WIDTH, HEIGHT), _BACK)
    card.paste(_CARD, (2, 2, WIDTH - 2, HEIGHT - 2))
    card.paste(Image.fromarray(_framed(row["id"], sources)), (4, 4))
    pen = ImageDraw.Draw(card)
    left, top = 6, PICTURE[1] + 8
    known = {metric: row[metric] for metric in QUALITY_METRICS if not pd.isna(row[metric])}
    metrics = "  ".join(f"{metric} {float(value):.3g}" for metric, value in known.items())
    for text, size, columns, lines, colour in (
        (row["id"], 12, 34, 2, "black"),
        (f"{row['stage']}: {row['reason']}", 11, 38, 5, "#b00020"),
        (metrics, 9, 46, 5, "#404040"),
    ):
        for line in wrap(text, columns, max_lines=lines, placeholder=" ..."):
            pen.text((left, top), line, font=_font(size), fill=colour)
            top += size + 3
        top += 3
    return np.array(card, np.uint8)


def _font(size: int) -> ImageFont.FreeTypeFont:
    import matplotlib

    # matplotlib's font has most letters, Pillow's only few.
    return ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts/ttf/DejaVuSans.ttf"), size)


def _framed(name: str, sources: Sources) -> Picture:
    """The clip's picture with its landmarks, fitted into ``PICTURE``."""
    canvas = np.full((PICTURE[1], PICTURE[0], 3), _GREY, np.uint8)
    clip, face = sources.clips[name], sources.faces.get(name)
    cells, number = None, clip["frames"] // 2
    if face is not None and face["frames"]:
        cells = read_row(sources.shards / face["shard"], face["row"], ["points", "transform", "found"])
        with_face = np.flatnonzero(cells["found"])
        number = int(with_face[np.argmin(np.abs(with_face - number))])
    if not clip["frames"]:  # unreadable
        return canvas
    frames = read_frames(sources.root / clip["path"], start=clip["start"] + number / FPS, duration=1 / FPS)
    try:
        frame = within(sources.time_limit, next, frames, None)
    except (MediaError, TimedOut):
        frame = None
    if frame is None:
        return canvas
    scale = min(PICTURE[0] / frame.shape[1], PICTURE[1] / frame.shape[0])
    width, height = (max(1, round(side * scale)) for side in (frame.shape[1], frame.shape[0]))
    picture = np.asarray(cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    if cells is not None:
        points = from_crop(cells["points"][[number]], cells["transform"][[number]])[0]
        _mark(picture, points, cells["transform"][number], sources.size, scale)
    left, top = (PICTURE[0] - width) // 2, (PICTURE[1] - height) // 2
    canvas[top : top + height, left : left + width] = picture
    return canvas


def _mark(
    picture: Picture, points_68x2: NDArray[np.floating], transform_2x3: NDArray[np.floating], size: int, scale: float
) -> None:
    """Draw landmarks and the crop of side ``size`` into a picture that is ``scale`` times as large as its source.

    Landmarks are in pixels of the source, which ``transform_2x3`` maps to pixels of the crop.
    """
    inverse = cv2.invertAffineTransform(transform_2x3.astype(np.float64))
    corners = rescale(np.array([(0, 0), (SIZE, 0), (SIZE, SIZE), (0, SIZE)]), SIZE, size)
    corners = corners @ inverse[:, :2].T + inverse[:, 2]
    cv2.polylines(picture, [_fixed(corners * scale)], True, (255, 200, 0), 1, cv2.LINE_AA, shift=4)
    for x, y in _fixed((points_68x2 + 0.5) * scale - 0.5):
        cv2.circle(picture, (int(x), int(y)), 16, (0, 255, 0), -1, cv2.LINE_AA, shift=4)


def _fixed(points: NDArray[np.floating]) -> NDArray[np.int32]:
    """Coordinates with OpenCV's 4 fractional bits."""
    return np.round(points * 16).astype(np.int32)
