"""Preprocessing against the naive procedure, on the same clips, in one run, on one core.

Naive: detect with upsampling 1 and predict in every frame, align frame by frame, crop, encode. Ours: what the stages
extract, landmarks and mfcc do. Prints frames a second, the ratio, and where our time goes.

    python benchmarks/preprocess.py --root data/sample --clips 12 --rounds 3
"""

import argparse
import cProfile
import pstats
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import cv2
import numpy as np

from pipeline.config import GridCorpus, Params
from pipeline.corpora.base import Corpus
from pipeline.corpora.grid import Grid
from pipeline.extract import extract
from pipeline.faces.align import align
from pipeline.faces.build import build_faces
from pipeline.faces.crop import crop_face, encode_jpeg
from pipeline.faces.detect import detect_faces, predict_landmarks
from pipeline.manifest import read_manifest
from pipeline.media import read_frames
from pipeline.speech.build import build_mfcc

STEPS = {
    "decode": ("read_frames", "count_frames", "read_audio_blocks"),
    "detect": ("detect_faces",),
    "landmarks": ("predict_landmarks",),
    "align": ("align",),
    "crop": ("crop_face",),
    "encode": ("encode_jpeg",),
    "quality": ("measure",),
    "mfcc": ("mfcc",),
    "write": ("write_table",),
}


def naive(corpus: Corpus) -> int:
    """Every frame on its own; returns the number of frames."""
    frames = 0
    for clip in corpus.clips():
        for frame in read_frames(clip.path):
            frames += 1
            boxes = detect_faces(frame, upsample=1)
            if boxes:
                points = predict_landmarks(frame, boxes[0])
                encode_jpeg(crop_face(frame, align(points[None], per_frame=True, smoothing=0)[0]), 95)
    return frames


def ours(corpus: Corpus, params: Params, out: Path) -> int:
    """The stages, in this process; returns the number of frames."""
    extract(corpus, params.extract, out / "clips", jobs=1)
    rows = build_faces(read_manifest(out / "clips"), corpus.root, params.landmarks, out / "faces", jobs=1)
    build_mfcc(out / "clips", params.mfcc, out / "mfcc", jobs=1)
    return sum(row["frames"] for row in rows)


def timed(work: Callable[[], int]) -> float:
    """Frames a second."""
    start = time.perf_counter()
    return work() / (time.perf_counter() - start)


def shares(work: Callable[[], int]) -> dict[str, float]:
    """The share of time in each step, with what it calls."""
    profile = cProfile.Profile()
    profile.runcall(work)
    entries = pstats.Stats(profile).stats.items()  # type: ignore[attr-defined]
    total = max(value[3] for _, value in entries)
    spent = {
        step: sum(value[3] for (file, _, name), value in entries if name in names and "pipeline" in file)
        for step, names in STEPS.items()
    }
    return {step: seconds / total for step, seconds in spent.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=Path("data/sample"), help="a corpus in GRID's layout")
    parser.add_argument("--clips", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    cv2.setNumThreads(0)
    params = Params()
    grid = GridCorpus(root=str(chosen.root.resolve()), max_clips=chosen.clips, val=0.2, test=0.2)
    corpus = Grid(
        root=Path(grid.root),
        key="corpora.grid",
        seed=0,
        val=grid.val,
        test=grid.test,
        split_by="clip",
        speakers=(),
        max_clips=grid.max_clips,
    )
    with tempfile.TemporaryDirectory() as folder:
        ours(corpus, params, Path(folder, "warm"))  # imports and models are loaded once a corpus, not once a clip
        slow, fast = [], []
        for number in range(chosen.rounds):
            slow.append(timed(lambda: naive(corpus)))
            fast.append(timed(lambda out=Path(folder, str(number)): ours(corpus, params, out)))  # type: ignore[misc]
        split = shares(lambda: ours(corpus, params, Path(folder, "profiled")))
    ratios = np.divide(fast, slow)
    print(f"naive {median(slow):7.1f} frames/s   ({min(slow):.1f} to {max(slow):.1f})")
    print(f"ours  {median(fast):7.1f} frames/s   ({min(fast):.1f} to {max(fast):.1f})")
    print(f"ratio {median(ratios):7.1f}            ({min(ratios):.1f} to {max(ratios):.1f})")
    for step, share in split.items():
        print(f"  {step:10} {share:6.1%}")


if __name__ == "__main__":
    main()
