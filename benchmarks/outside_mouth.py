"""How much pixels outside the mouth change when photographs speak. They must not change above a limit.

For each photograph, the beginning of the speech is generated twice, without blinks. At strength 1, pixels above the tip
of the nose and outside cheeks and chin are compared with the photograph; at strength 0, all pixels of five frames. A
pixel's change is that of its most changed channel, in levels of 255. Prints the largest change of both for each
photograph, and the share of outside pixels that change by more than 8 levels in any frame; then totals. The exit code
is 1 when a change is above the limit.

    python benchmarks/outside_mouth.py --photos FOLDER --most 100
"""

import argparse
import functools
import logging
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.inference.compositing.photograph import Photograph
from pipeline.inference.generator import Generator
from pipeline.inference.settings import Settings
from pipeline.inference.talking_head import TalkingHead
from pipeline.landmarks.shape import eye_distance
from pipeline.media import read_audio
from pipeline.runtime.clock import RATE, SAMPLES_PER_FRAME
from pipeline.runtime.errors import PipelineError

LIMIT = 1
"""Allowed change, in levels of 255."""
SEEN = 8
"""A visible change has more than this number of levels."""
PICTURES = (".jpg", ".jpeg", ".png", ".webp")
STILL = 5 * SAMPLES_PER_FRAME
"""Samples at strength 0, at which all frames are equal."""
AROUND, DROP = 0.2, 0.25
"""Distance around the lower face and below the chin that belongs to the mouth, in eye distances."""


class Change(NamedTuple):
    """The changes of one photograph."""

    outside: int
    """The largest change outside the mouth at strength 1, in levels."""
    seen: float
    """Share of the pixels outside the mouth that change by more than `SEEN` levels."""
    still: int
    """The largest change anywhere at strength 0, in levels."""


def outside_mouth(points_68x2: NDArray[np.floating], size: tuple[int, int]) -> NDArray[np.bool_]:
    """The pixels of a picture of ``size`` (width, height) that speech must not change; points are in its pixels."""
    distance = float(eye_distance(points_68x2[None])[0])
    face = np.concatenate([points_68x2[2:15], points_68x2[31:36]])
    dropped = points_68x2[4:13] + np.array([0, DROP * distance])
    mouth = np.zeros(size[::-1], np.uint8)
    for points in (face, np.concatenate([face, dropped])):
        cv2.fillConvexPoly(mouth, cv2.convexHull(np.round(points).astype(np.int32)), 1)
    reach = 2 * round(AROUND * distance) + 1
    return np.asarray(cv2.dilate(mouth, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))) == 0)


def measure(head: TalkingHead, picture: Path | NDArray[np.uint8], samples: NDArray[np.int16]) -> Change:
    """The changes of a photograph that speaks the samples."""
    still, speaking = (Generator(head, picture, Settings(strength=strength, blink=False)) for strength in (0.0, 1.0))
    assert isinstance(still.view, Photograph)
    photograph_HWC = still.view.picture_HWC  # with the lips that it shows; speech begins with closed ones

    def highest(frames: Iterable[NDArray[np.uint8]]) -> NDArray[np.uint8]:
        changes = (cv2.absdiff(frame_HWC, photograph_HWC).max(axis=2) for frame_HWC in frames)
        return functools.reduce(np.maximum, changes)

    (points_68x2,) = still.view.points(still.reference.points_68x2[None], 0, still.reference)
    outside = highest(speaking.stream([samples]))[outside_mouth(points_68x2, still.view.size)]
    unmoved = highest(still.stream([samples[:STILL]]))
    return Change(int(outside.max(initial=0)), float((outside > SEEN).mean()), int(unmoved.max()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--photos", type=Path, required=True, help="a folder of photographs and of folders with photographs"
    )
    parser.add_argument("-i", "--speech", type=Path, default=Path("docs/speech.wav"))
    parser.add_argument("--models", help="a bundle; default: the one that ships")
    parser.add_argument("--seconds", type=float, default=1.0, help="seconds of the speech")
    parser.add_argument("--most", type=int, help="number of photographs, spread over their names; default: all")
    parser.add_argument("--limit", type=int, default=LIMIT, help="levels of 255")
    options = parser.parse_args()
    logging.disable(logging.WARNING)  # no warnings about small, turned or several faces
    photos = sorted(path for path in options.photos.rglob("*") if path.suffix.lower() in PICTURES)
    if options.most and len(photos) > options.most:
        photos = [photos[at] for at in np.linspace(0, len(photos) - 1, options.most).round().astype(int)]
    head = TalkingHead.from_pretrained(options.models)
    samples = read_audio(options.speech)[: round(options.seconds * RATE)]
    changes = []
    for photo in photos:
        try:
            change = measure(head, photo, samples)
        except PipelineError as error:
            print(f"{photo.name}: left out. {error}")
            continue
        changes.append(change)
        print(
            f"{photo.name}: outside {change.outside}, seen {change.seen:.2%}, at strength 0 {change.still}", flush=True
        )
    if not changes:
        sys.exit(f"{options.photos} holds no photograph of a face.")
    outside, seen, still = (np.array(column) for column in zip(*changes, strict=True))
    print(f"{len(changes)} photographs, {len(samples) / RATE:.1f} s each; the limit is {options.limit}")
    print(f"outside the mouth: {outside.max()} at most, {np.median(outside):.0f} in the median, {seen.mean():.2%} seen")
    print(f"at strength 0: {still.max()} at most, {np.median(still):.0f} in the median")
    above = int(((outside > options.limit) | (still > options.limit)).sum())
    print(f"{above} above the limit")
    sys.exit(1 if above else 0)


if __name__ == "__main__":
    main()
