"""Time of an evaluation with all baselines and metrics, compared with a naive procedure in the same run.

The naive procedure works frame by frame in one process, with dlib's detector (default upsampling) and predictor and
scikit-image's PSNR and SSIM, and processes the real frames again for each method. `measure_clip` also runs in one
process and computes all other metrics too. Prints the time of a whole evaluation, and for a few clips the ratio of both
and the largest difference of their values.

    python benchmarks/evaluation.py --root /data/grid --clips 100 --naive 3
"""

import argparse
import resource
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import dlib
import numpy as np
import torch
from numpy.typing import NDArray
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from pipeline.config.params import Evaluate, Params
from pipeline.corpora.base import Opening
from pipeline.corpora.grid import Grid, GridParams
from pipeline.evaluation.baselines import BASELINES
from pipeline.evaluation.baselines.base import Generated, TestClip
from pipeline.evaluation.clips import StoredClips
from pipeline.evaluation.evaluate import Outputs, evaluate, measure_clip
from pipeline.faces.shape_predictor import shape_predictor_path
from pipeline.inference.talking_head import TalkingHead
from pipeline.prepare.extract import extract
from pipeline.prepare.faces import build_faces
from pipeline.prepare.manifest import read_manifest
from pipeline.prepare.speech_features import build_mfcc
from pipeline.preprocessing.project import ProjectPreprocessing
from pipeline.runtime.errors import clear_errors
from pipeline.shards.clip_store import ClipStore

COMPARED = ("psnr", "ssim", "lmd", "f_lmd", "lost")


class AllClips(StoredClips):
    """All good clips of all splits."""

    def ids(self, split: str) -> list[str]:
        return sorted(clip for part in ("train", "val", "test") for clip in super(AllClips, self).ids(part))


def prepare(head: TalkingHead, root: Path, clips: int, data: Path, jobs: int) -> ClipStore:
    assert isinstance(head.preprocessing, ProjectPreprocessing)
    params, speech = Params(), head.preprocessing.speech
    mfcc = replace(params.mfcc, kind=speech.kind, normalise=speech.normalise, window=speech.window)
    corpus = Grid(GridParams(max_clips=clips), Opening(root, "corpora.grid"))
    extract(corpus, params.extract, data / "clips", jobs)
    build_faces(read_manifest(data / "clips"), data / "clips", root, params.landmarks, data / "faces", jobs)
    build_mfcc(data / "clips", mfcc, data / "mfcc", jobs)
    return ClipStore(data)


def seconds() -> float:
    """Processor time of this process and of its finished children."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def naive(clip: TestClip, made: Outputs) -> dict[str, dict[str, float]]:
    detector, predictor = dlib.get_frontal_face_detector(), dlib.shape_predictor(str(shape_predictor_path()))

    def find(frame: NDArray[np.uint8]) -> NDArray[np.float64]:
        boxes = detector(frame, 1)
        if not boxes:
            return np.full((68, 2), np.nan)
        return np.array([(point.x, point.y) for point in predictor(frame, boxes[0]).parts()], np.float64)

    results = {}
    for method, output in made.items():
        assert isinstance(output, Generated)
        rows = []
        for real, fake in zip(clip.frames_THWC[1:], output.frames_THWC[1:], strict=True):
            real_points, fake_points = find(real), find(fake)
            lmd, f_lmd = (
                np.linalg.norm((a - a.mean(axis=0)) - (b - b.mean(axis=0)), axis=1).mean()
                for a, b in ((real_points[48:], fake_points[48:]), (real_points, fake_points))
            )
            equal = bool((real == fake).all())
            psnr = 100.0 if equal else peak_signal_noise_ratio(real, fake)
            ssim = structural_similarity(
                real, fake, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
            )
            rows.append((psnr, ssim, lmd, f_lmd, float(np.isnan(fake_points).any())))
        results[method] = dict(zip(COMPARED, np.nanmean(rows, axis=0).tolist(), strict=True))
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True, help="a corpus laid out as GRID")
    parser.add_argument("--clips", type=int, default=100)
    parser.add_argument("--naive", type=int, default=3, help="clips that are also measured naively")
    parser.add_argument("--models", help="a bundle's folder; default: the one that ships")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    head = TalkingHead.from_pretrained(options.models)
    with tempfile.TemporaryDirectory() as folder:
        clips = AllClips(prepare(head, options.root, options.clips, Path(folder) / "data", options.jobs))
        few = [clips.load(name) for name in clips.ids("test")[: options.naive]]
        start, used = time.perf_counter(), seconds()
        evaluate(head, clips, Evaluate(videos=0), 0, Path(folder) / "out", options.jobs)
        print(
            f"{len(clips.ids('test'))} clips by {len(BASELINES)} methods, {options.jobs} processes: "
            f"{time.perf_counter() - start:.0f} s, at least {seconds() - used:.0f} s of processor time",
            flush=True,
        )
        torch.set_num_threads(1)
        spent = {"naive": 0.0, "ours": 0.0}
        apart: dict[str, list[float]] = {name: [] for name in COMPARED}
        frames = 0
        for clip in few:
            made: Outputs = {name: BASELINES[name].generate(head, clip) for name in BASELINES if name != "mismatched"}
            start = time.process_time()
            ours = {result.row["method"]: result.row for result in measure_clip(clip, made, clips.samples(clip.id))}
            middle = time.process_time()
            theirs = naive(clip, made)
            spent["ours"] += middle - start
            spent["naive"] += time.process_time() - middle
            frames += len(made) * (len(clip.frames_THWC) - 1)
            for name in COMPARED:
                apart[name] += [abs(ours[method][name] - theirs[method][name]) for method in made]
    print(f"measuring, ms of one core per frame and method: {spent['naive'] / frames * 1e3:.1f} naive, ", end="")
    print(f"{spent['ours'] / frames * 1e3:.1f} ours, {spent['naive'] / spent['ours']:.1f} times faster")
    print("largest difference per clip:", ", ".join(f"{name} {max(values):.4f}" for name, values in apart.items()))


if __name__ == "__main__":
    with clear_errors("evaluation"):
        main()
