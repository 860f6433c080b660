"""Time and values of the metrics of pictures and points on real clips.

Uses the crops and points of up to `--most` clips per speaker of GRID. Prints the milliseconds of each metric per clip
of 75 frames (one thread, median and range over the clips), also for torchmetrics' SSIM; sharpness after a Gaussian
blur; jitter; and `csim` with a picture of the same clip, of another clip of the speaker, and of another speaker.

    OMP_NUM_THREADS=1 python -m benchmarks.metrics GRID --most 3
"""

import argparse
import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.image import StructuralSimilarityIndexMeasure

from pipeline.faces.align import align
from pipeline.faces.crop import crop_face
from pipeline.faces.identity import face_descriptor
from pipeline.faces.track import track_face
from pipeline.media import read_frames
from pipeline.metrics import METRICS
from pipeline.metrics.observe import find_landmarks

EVERY = 25
BLURS = (0.5, 1.0, 2.0)


class Clip(NamedTuple):
    """The inputs of metrics for a real clip."""

    speaker: str
    frames: Tensor
    landmarks: Tensor
    identity: Tensor


def read_clips(root: Path, most: int) -> Iterator[Clip]:
    for speaker in sorted(folder for folder in root.iterdir() if folder.name.startswith("s")):
        for path in sorted(speaker.glob("*.mpg"))[:most]:
            frames = list(read_frames(path))
            track = track_face(frames, detect_every=10)
            transforms = align(track.points_T68x2, per_frame=False, smoothing=0.2)
            crops = np.stack([crop_face(*pair) for pair in zip(frames, transforms, strict=True)])
            points = find_landmarks(crops)
            faces = [number for number in range(0, len(crops), EVERY) if np.isfinite(points[number]).all()]
            described = np.stack([face_descriptor(crops[number], points[number]) for number in faces])
            yield Clip(speaker.name, floats(crops), torch.from_numpy(points), torch.from_numpy(described))


def floats(crops_THWC: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(crops_THWC.astype(np.float32) / 255).permute(0, 3, 1, 2).contiguous()


def blurred(frames_TCHW: Tensor, sigma: float) -> Tensor:
    crops = (frames_TCHW.permute(0, 2, 3, 1).numpy() * 255).round().astype(np.uint8)
    return floats(np.stack([cv2.GaussianBlur(crop, (0, 0), sigma) for crop in crops]))


def value(metric: Metric, *inputs: Tensor) -> float:
    metric.update(*inputs)
    return float(metric.compute())


def summary(name: str, values: list[float], digits: int = 3) -> None:
    known = [number for number in values if np.isfinite(number)]
    low, middle, high = np.quantile(known, [0, 0.5, 1]) if known else [np.nan] * 3
    print(f"{name:28} {middle:9.{digits}f}   {low:.{digits}f} to {high:.{digits}f}   of {len(known)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path)
    parser.add_argument("--most", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    clips = list(read_clips(options.root, options.most))

    print("milliseconds per clip")
    makers = {name: (entry.make, entry) for name, entry in METRICS.items() if not entry.weights}
    makers["torchmetrics' ssim"] = (lambda: StructuralSimilarityIndexMeasure(data_range=1.0), METRICS["ssim"])
    for name, (make, entry) in makers.items():
        if entry.compares not in ("frames", "landmarks", "identity"):
            continue
        times = []
        for clip in clips:
            real = getattr(clip, entry.compares)
            fake = blurred(real, 1.0) if entry.compares == "frames" else real
            inputs = (fake, real[0]) if entry.compares == "identity" else (fake, real) if entry.real else (fake,)
            begin = time.process_time()
            value(make(), *inputs)
            times.append(1000 * (time.process_time() - begin))
        summary(name, times, 1)

    print("real clips")
    for name in ("cpbd", "laplacian"):
        for sigma in (0.0, *BLURS):
            frames = [blurred(clip.frames, sigma) if sigma else clip.frames for clip in clips]
            summary(f"{name}, blur of {sigma}", [value(METRICS[name].make(), clip_frames) for clip_frames in frames])
    summary("jitter", [value(METRICS["jitter"].make(), clip.landmarks) for clip in clips])
    alike: dict[str, list[float]] = {"same clip": [], "same speaker": [], "another speaker": []}
    for first, second in itertools.product(clips, clips):
        same_speaker = first.speaker == second.speaker
        kind = "same clip" if first is second else "same speaker" if same_speaker else "another speaker"
        alike[kind].append(value(METRICS["csim"].make(), first.identity[1:], second.identity[0]))
    for kind, values in alike.items():
        summary(f"csim, {kind}", values)


if __name__ == "__main__":
    main()
