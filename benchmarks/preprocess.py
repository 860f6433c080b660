"""Speed of preprocessing compared with a naive procedure, on the same clips in one run on one core.

The naive procedure uses dlib alone: detect with upsampling 1 and predict in every frame, align frame by frame, crop and
encode. Ours runs the stages extract, landmarks and mfcc. Prints frames per second of one core, their ratio, the share
of each step, the distance between our points and the naive ones, and the gain by more workers.

    python benchmarks/preprocess.py --root data/sample --clips 12 --rounds 3
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

import cv2
import dlib
import numpy as np
from joblib.externals.loky import get_reusable_executor
from numpy.typing import NDArray

from pipeline.config.params import Params
from pipeline.corpora.base import Corpus, Opening
from pipeline.corpora.grid import Grid, GridParams
from pipeline.faces.align import align
from pipeline.faces.crop import crop_face, encode_jpeg
from pipeline.faces.shape_predictor import shape_predictor_path
from pipeline.media import read_frames
from pipeline.prepare.extract import extract
from pipeline.prepare.faces import build_faces
from pipeline.prepare.manifest import read_manifest
from pipeline.prepare.speech_features import build_mfcc
from pipeline.runtime.errors import clear_errors
from pipeline.shards.read import ShardReader

STEPS = {
    "extract: video": ["pipeline.prepare.extract.probe", "pipeline.prepare.extract.ticks"],
    "extract: sound": ["pipeline.prepare.extract.read_audio_blocks"],
    "decode": ["pipeline.prepare.faces.read_frames"],
    "detect": ["pipeline.faces.key_frames.detect_faces"],
    "landmarks": ["pipeline.faces.key_frames.predict_landmarks"],
    "align": ["pipeline.prepare.faces.align"],
    "crop": ["pipeline.prepare.faces.crop_face"],
    "encode": ["pipeline.prepare.faces.encode_jpeg"],
    "quality": ["pipeline.prepare.faces.measure_quality"],
    "mfcc": ["pipeline.prepare.speech_features.SpeechFeatures.compute"],
    "write": ["pipeline.shards.build.to_table", "pipeline.shards.build.write_table"],
}
Points = NDArray[np.float32]


def naive(corpus: Corpus) -> tuple[int, dict[str, Points]]:
    """The number of frames, and each clip's points in whole pixels, found frame by frame; NaN without a face."""
    detector, predictor = dlib.get_frontal_face_detector(), dlib.shape_predictor(str(shape_predictor_path()))
    points: dict[str, Points] = {}
    for clip in corpus.clips():
        shapes = []
        for frame in read_frames(clip.path):
            boxes = detector(frame, 1)
            shape = np.full((68, 2), np.nan, np.float32)
            if boxes:
                shape = np.array([(point.x, point.y) for point in predictor(frame, boxes[0]).parts()], np.float32)
                encode_jpeg(crop_face(frame, align(shape[None], per_frame=True, smoothing=0)[0]), 95)
            shapes.append(shape)
        points[clip.id] = np.array(shapes)
    return sum(map(len, points.values())), points


def stages(corpus: Corpus, params: Params, out: Path, jobs: int = 1) -> list[Callable[[], object]]:
    """The stages extract, landmarks and mfcc."""

    def faces() -> object:
        return build_faces(
            read_manifest(out / "clips"), out / "clips", corpus.root, params.landmarks, out / "faces", jobs
        )

    return [
        partial(extract, corpus, params.extract, out / "clips", jobs),
        faces,
        partial(build_mfcc, out / "clips", params.mfcc, out / "mfcc", jobs),
    ]


def ours(corpus: Corpus, params: Params, out: Path) -> int:
    """Run the stages and return the number of frames."""
    for stage in stages(corpus, params, out):
        stage()
    return sum(row.frames for row in read_manifest(out / "clips"))


def seconds_with(jobs: int, corpus: Corpus, params: Params, out: Path) -> float:
    """Wall-clock time of the stages with workers that have started: their start matters little for a large corpus."""
    total = 0.0
    for before, stage in zip(*(stages(corpus, params, out / name, jobs) for name in ("before", "now")), strict=True):
        get_reusable_executor().shutdown()  # each stage starts its own workers
        before()
        start = time.perf_counter()
        stage()
        total += time.perf_counter() - start
    return total


def rate(work: Callable[[], int]) -> float:
    """Frames per second of processor time, which other work on the machine changes little."""
    start = time.process_time()
    return work() / (time.process_time() - start)


def shares(work: Callable[[], int]) -> dict[str, float]:
    """The share of the time in each step."""
    spent = dict.fromkeys(STEPS, 0.0)
    with ExitStack() as stack:
        for step, places in STEPS.items():
            for place in places:
                stack.enter_context(patch(place, partial(_timed, spent, step, _resolve(place))))
        start = time.process_time()
        work()
        total = time.process_time() - start
    return {**{step: seconds / total for step, seconds in spent.items()}, "rest": 1 - sum(spent.values()) / total}


def _resolve(place: str) -> Any:
    module, _, name = place.rpartition(".")
    return getattr(__import__(module, fromlist=[name]), name)


def _timed(spent: dict[str, float], step: str, function: Callable[..., Any], *args: Any, **named: Any) -> Any:
    start = time.thread_time()
    result = function(*args, **named)
    spent[step] += time.thread_time() - start
    return _timed_items(spent, step, result) if isinstance(result, Iterator) else result


def _timed_items(spent: dict[str, float], step: str, items: Iterator[Any]) -> Iterator[Any]:
    while True:
        start = time.thread_time()
        item = next(items, None)
        spent[step] += time.thread_time() - start
        if item is None:
            return
        yield item


def compare_points(folder: Path, reference: dict[str, Points]) -> None:
    """Print the distance between our points and those of detection in every frame, and the jitter of both."""
    reader = ShardReader(folder)
    distances, jitters = [], []
    for clip, theirs in reference.items():
        pair = (reader.read(clip, "points"), theirs)
        distances.append(np.linalg.norm(pair[0] - pair[1], axis=2).ravel())
        jitters.append([np.nanmean(np.linalg.norm(np.diff(points, n=2, axis=0), axis=2)) for points in pair])
    distance = np.concatenate(distances)
    own, naive_jitter = np.mean(jitters, axis=0)
    print(f"points apart from detection in every frame: median {np.nanmedian(distance):.2f} px, ", end="")
    print(f"95th percentile {np.nanpercentile(distance, 95):.2f} px")
    print(f"jitter (second difference): ours {own:.2f} px, naive {naive_jitter:.2f} px")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=Path("data/sample"), help="a corpus in GRID's layout")
    parser.add_argument("--clips", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    cv2.setNumThreads(0)
    params = _small_shards(Params(), 2)  # so that a dozen clips keep several workers busy
    corpus = Grid(GridParams(val=0.2, test=0.2, max_clips=chosen.clips), Opening(chosen.root.resolve(), "corpora.grid"))
    longer = replace(corpus, params=replace(corpus.params, max_clips=8 * chosen.clips))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        ours(corpus, params, out / "before")  # imports and models are loaded once per corpus, not once per clip
        reference: dict[str, Points] = {}
        slow, fast = [], []
        one: list[float] = []
        many: list[float] = []
        for number in range(chosen.rounds):
            start = time.process_time()
            frames, reference = naive(corpus)
            slow.append(frames / (time.process_time() - start))
            fast.append(rate(partial(ours, corpus, params, out / f"{number}")))
            for seconds, jobs in ((one, 1), (many, chosen.workers)):
                seconds.append(seconds_with(jobs, longer, params, out / f"{number} with {jobs}"))
        split = shares(partial(ours, corpus, params, out / "shares"))
        _line("naive", slow, " frames/s of a core")
        _line("ours", fast, " frames/s of a core")
        _line("ratio", np.divide(fast, slow).tolist())
        _line(f"{chosen.workers} workers to one", np.divide(one, many).tolist(), " by the clock")
        for step, share in split.items():
            print(f"  {step:15} {share:6.1%}")
        compare_points(out / "0" / "faces", reference)


def _small_shards(params: Params, clips: int) -> Params:
    sections = {name: replace(getattr(params, name), shard_clips=clips) for name in ("extract", "landmarks", "mfcc")}
    return replace(params, **sections)


def _line(name: str, metrics: list[float], unit: str = "") -> None:
    print(f"{name:18} {median(metrics):8.2f}{unit}   ({min(metrics):.2f} to {max(metrics):.2f})")


if __name__ == "__main__":
    with clear_errors("preprocess"):
        main()
