"""The pictures of the docs, from a finished `dvc repro` of the embedded corpus:

    python docs/pictures/make.py            # of the project in the working directory
    python docs/pictures/make.py FOLDER     # or of another one

Writes beside itself: talking.webp (two videos of the evaluation), strip.jpg (one of its strips), contact_sheet.jpg (the
speakers of the corpus), face.jpg (one of them, which the README's commands take).
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

SPEAKERS = (0, 2)
"""Which of the evaluation's videos the moving picture shows."""
WIDTH = 768
"""Of the moving picture, pixels."""
OPENINGS = 5
"""Pictures per speaker in the contact sheet, from closed lips to the widest opening."""
SPEAKER = "s1"
"""Whose picture face.jpg is."""
FACE = (slice(8, 248), slice(60, 300))
"""The face within the embedded corpus's frames."""
SIDE, GAP = 160, 4
PER_ROW = 2
"""Speakers in a row of the contact sheet."""


def read_video(path: Path) -> NDArray[np.uint8]:
    """All frames, RGB (T, H, W, 3)."""
    video, frames = cv2.VideoCapture(str(path)), []
    while (read := video.read())[0]:
        frames.append(cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB))
    if not frames:
        raise SystemExit(f"{path} cannot be read. Run `dvc repro` first.")
    return np.asarray(frames, np.uint8)


def talking(videos: list[Path]) -> list[Image.Image]:
    """Videos of one length above each other, frame by frame."""
    rows_VTHWC = [read_video(path) for path in videos]
    height = round(WIDTH * rows_VTHWC[0].shape[1] / rows_VTHWC[0].shape[2])
    stacked = (
        np.vstack([cv2.resize(frame, (WIDTH, height), interpolation=cv2.INTER_AREA) for frame in moment])
        for moment in zip(*rows_VTHWC, strict=True)
    )
    return [Image.fromarray(frame) for frame in stacked]


def contact_sheet(corpus: Path) -> Image.Image:
    """Each speaker's first clip at openings spread evenly over its frames."""
    script = pd.read_parquet(corpus / "script.parquet")
    cells = []
    for speaker, rows in script.groupby("speaker", sort=False):
        clip = rows[rows["name"] == rows["name"].iloc[0]]
        order = np.argsort(clip["opening"].to_numpy(), kind="stable")
        chosen = order[np.linspace(0, len(order) - 1, OPENINGS).round().astype(int)]
        frames = read_video(corpus / str(speaker) / f"{clip['name'].iloc[0]}.mpg")
        faces = [cv2.resize(frames[t][FACE], (SIDE, SIDE), interpolation=cv2.INTER_AREA) for t in chosen]
        cells.append(np.hstack([np.pad(face, ((0, GAP), (0, GAP), (0, 0)), constant_values=255) for face in faces]))
    lines = [np.hstack(cells[first : first + PER_ROW]) for first in range(0, len(cells), PER_ROW)]
    return Image.fromarray(np.vstack(lines))


def face(corpus: Path) -> Image.Image:
    """The first frame of a speaker's first clip."""
    return Image.fromarray(read_video(min((corpus / SPEAKER).glob("*.mpg")))[0])


def main(project: Path, out: Path) -> None:
    """Make all of them from the outs in ``project``."""
    videos = sorted((project / "reports/videos").glob("*.mp4"))
    strips = sorted((project / "reports/pictures").glob("*.png"))
    if len(videos) <= max(SPEAKERS) or not strips:
        raise SystemExit(f"{project / 'reports'} has too few videos and pictures. Run `dvc repro` first.")
    first, *rest = talking([videos[number] for number in SPEAKERS])
    first.save(out / "talking.webp", save_all=True, append_images=rest, duration=40, loop=0, quality=70, method=4)
    Image.open(strips[0]).convert("RGB").save(out / "strip.jpg", quality=88, optimize=True)
    contact_sheet(project / "data/sample").save(out / "contact_sheet.jpg", quality=88, optimize=True)
    face(project / "data/sample").save(out / "face.jpg", quality=92, optimize=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", nargs="?", type=Path, default=Path())
    main(parser.parse_args().project, Path(__file__).parent)
