"""Compares whole generated videos with the real ones: the motion of the lips, and the sharpness of the mouth.

    python benchmarks/whole_videos.py --data PROJECT/data --videos FOLDER

For each test clip of a project, the frame with the most closed lips speaks the clip's sound, as with `atvgnet
generate`. dlib finds the points in crops of 128x128 pixels at the place of that frame's face. Rows are for speakers of
the project's training split and for others.

LMD            of the mouth's points, over that of the frame that does not move
opening        correlation of the mouth's opening with the real one
spread         standard deviation of the opening over the real one
sharpness      variance of the Laplacian around the lips over that of the real frames, while the mouth is open
"""

import argparse
import logging
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.portraits import detail
from benchmarks.unseen_speakers import mouth_distance, with_interval
from pipeline.faces.crop import crop_face
from pipeline.inference.generator import Generator
from pipeline.inference.settings import Settings
from pipeline.inference.talking_head import TalkingHead
from pipeline.landmarks.shape import mouth_opening
from pipeline.media import read_frames
from pipeline.metrics.observe import find_landmarks
from pipeline.runtime.errors import PipelineError, clear_errors
from pipeline.shards.clip_store import ClipStore


class Row(NamedTuple):
    """The measures of a clip."""

    lmd: float
    opening: float
    spread: float
    sharpness: float


def sharpness(frames_THWC: NDArray[np.uint8], points_T68x2: NDArray[np.floating]) -> float:
    """The mean of the frames whose mouth is at least half as open as in the widest."""
    opening_T = mouth_opening(points_T68x2)
    wide_N = np.flatnonzero(opening_T >= np.nanmax(opening_T) / 2)
    return float(np.mean([detail(frames_THWC[t], points_T68x2[t]) for t in wide_N]))


def measure(head: TalkingHead, store: ClipStore, clip: str, video: Path) -> Row:
    """Speak a clip and compare it with its video."""
    real_T68x2 = store.points(clip)
    real_THWC = np.stack(list(read_frames(video)))[: len(real_T68x2)]
    closed = int(mouth_opening(real_T68x2).argmin())
    onto_2x3 = np.broadcast_to(store.transform(clip), (len(real_T68x2), 2, 3))[closed].astype(np.float32)
    generator = Generator(head, np.ascontiguousarray(real_THWC[closed]), Settings(blink=False))
    frames = list(generator.stream([store.samples(clip)]))[: len(real_THWC)]
    fake_crops, real_crops = (np.stack([crop_face(f, onto_2x3) for f in some]) for some in (frames, real_THWC))
    fake_T68x2 = find_landmarks(fake_crops)
    found_F = np.flatnonzero(~np.isnan(fake_T68x2).any(axis=(1, 2)))
    fake, real = fake_T68x2[found_F], real_T68x2[found_F]
    still = np.repeat(real_T68x2[closed : closed + 1], len(real), axis=0)
    openings = mouth_opening(fake), mouth_opening(real)
    return Row(
        lmd=mouth_distance(fake, real) / mouth_distance(still, real),
        opening=float(np.corrcoef(*openings)[0, 1]),
        spread=float(openings[0].std() / openings[1].std()),
        sharpness=sharpness(fake_crops, fake_T68x2) / sharpness(real_crops, real_T68x2),
    )


def find_video(root: Path, path: Path) -> Path:
    """The video of a clip. A union puts the name of its corpus before the path."""
    for video in (root / path, root / path.relative_to(path.parts[0])):
        if video.is_file():
            return video
    raise PipelineError(f"{root} holds no {path}. Give the folder of the corpus.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, help="bundle; the shipped one by default")
    parser.add_argument("--data", type=Path, required=True, help="the data folder of a project after `landmarks`")
    parser.add_argument("--videos", type=Path, required=True, help="the folder of its videos")
    options = parser.parse_args()
    logging.disable(logging.WARNING)  # no warnings about small faces
    torch.set_num_threads(1)
    head, store = TalkingHead.from_pretrained(options.models), ClipStore(options.data)
    trained = {store.speaker(clip) for clip in store.ids("train")}
    print("| | clips | LMD | opening | spread | sharpness |", "|---|---|---|---|---|---|", sep="\n")
    for title, seen in (("seen speakers", True), ("unseen speakers", False)):
        rows = []
        for clip in (one for one in store.ids("test") if (store.speaker(one) in trained) == seen):
            rows.append(measure(head, store, clip, find_video(options.videos, Path(store.source(clip)["path"]))))
        cells = [with_interval(np.array(column)) for column in zip(*rows, strict=True)]
        print(f"| {title} | {len(rows)} |", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    with clear_errors("whole videos"):
        main()
