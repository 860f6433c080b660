"""A self-test of the metrics: real clips are changed in known ways, and each metric must notice exactly that."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.evaluation.bootstrap import interval
from pipeline.evaluation.score.clip import known_words
from pipeline.evaluation.score.crops import crop_real
from pipeline.evaluation.score.folders import MIN_CLIPS, find_test_videos
from pipeline.media import VideoWriter, read_audio, read_frames
from pipeline.metrics import METRICS
from pipeline.metrics.compute import compute_metrics
from pipeline.metrics.observe import describe_face, hear, observe
from pipeline.runtime import workers
from pipeline.runtime.clock import FPS
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.progress import with_progress

SHIFT = 3
"""Frames by which `late` delays the lips."""
MAX_CLIPS = 12
"""The self-test changes at most this many real videos."""
ITSELF = "itself"


@dataclass(frozen=True)
class RealClip:
    """Crops (T, size, size, 3) of a real video, its sound, and the classes of its phonemes if they are known."""

    id: str
    frames_THWC: NDArray[np.uint8]
    samples_N: NDArray[np.int16]
    phonemes_T: NDArray[np.int8] | None


def late(clip: RealClip, other: RealClip) -> RealClip:
    """The pictures come `SHIFT` frames after their sound."""
    first = np.repeat(clip.frames_THWC[:1], SHIFT, axis=0)
    return replace(clip, frames_THWC=np.concatenate([first, clip.frames_THWC[:-SHIFT]]))


def blurred(clip: RealClip, other: RealClip) -> RealClip:
    """Each frame is blurred by a Gaussian of a hundredth of its side."""
    sigma = clip.frames_THWC.shape[1] / 100
    return replace(clip, frames_THWC=np.stack([cv2.GaussianBlur(frame, (0, 0), sigma) for frame in clip.frames_THWC]))


def frozen(clip: RealClip, other: RealClip) -> RealClip:
    """The lower half of the face stays as in the first frame."""
    frames = clip.frames_THWC.copy()
    half = frames.shape[1] // 2
    frames[:, half:] = frames[:1, half:]
    return replace(clip, frames_THWC=frames)


def dubbed(clip: RealClip, other: RealClip) -> RealClip:
    """The sound and its words are those of another clip."""
    phonemes_T = None if other.phonemes_T is None else np.resize(other.phonemes_T, len(clip.frames_THWC))
    return replace(clip, samples_N=np.resize(other.samples_N, len(clip.samples_N)), phonemes_T=phonemes_T)


def replaced(clip: RealClip, other: RealClip) -> RealClip:
    """The pictures are those of another person."""
    return replace(clip, frames_THWC=other.frames_THWC[np.arange(len(clip.frames_THWC)) % len(other.frames_THWC)])


def encoded(clip: RealClip, other: RealClip) -> RealClip:
    """The pictures are encoded once more, as in every video that is passed on."""
    size = clip.frames_THWC.shape[1]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "again.mp4"
        with VideoWriter(path, size=(size, size), fps=FPS) as video:
            for frame in clip.frames_THWC:
                video.write(frame)
        return replace(clip, frames_THWC=np.stack(list(read_frames(path))))


PIXELS = ("psnr", "ssim", "paper_psnr", "paper_ssim")
SHAPE = ("lmd", "lmd_eyes", "f_lmd", "f_lmd_eyes", "paper_lmd")
SOUND = ("lip_sync", "silent_stability", "av_offset", "av_strength")
MOTION = ("opening", "spread", "silent_stability", "lip_dynamics", "jitter")
"""Metrics of how far points move. Blur and encoding smooth the pictures, and with them the motion of dlib's points."""
RARE, RARE_CLIPS = "closed", 11
"""A metric of events that occur once or twice in a clip, and the number of clips that it takes to judge the metric."""
TOLERANCE = 0.05
"""Share by which a mean may change and still count as the same: a few repeated frames change every mean a little."""


@dataclass(frozen=True)
class KnownChange:
    """A change of real clips, and which metrics must notice it. All metrics that are not listed must stay the same."""

    title: str
    make: Callable[[RealClip, RealClip], RealClip]
    """The changed clip, from a clip and another clip."""
    worse: tuple[str, ...] = ()
    """Metrics whose whole 95% interval of the difference must be on the worse side."""
    free: tuple[str, ...] = ()
    """Metrics that may change."""
    other_person: bool = False
    """Whether the other clip must be of another person."""


CHANGES = {
    ITSELF: KnownChange("the real clip itself", lambda clip, other: clip),
    "late": KnownChange(
        f"the lips {SHIFT} frames late",
        late,
        worse=(*PIXELS, *SHAPE, "opening", "closed", "relative_offset", "av_offset"),
        free=("lip_sync", "silent_stability", "av_strength", "spread"),
    ),
    "blurred": KnownChange(
        "blurred by a Gaussian of 1.28 px",
        blurred,
        worse=(*PIXELS, "cpbd", "laplacian"),
        free=(*SHAPE, *MOTION, "csim", "av_strength"),
    ),
    "frozen": KnownChange(
        "the lower half of the face as in the first frame",
        frozen,
        worse=(*PIXELS, *SHAPE, "opening", "spread", "closed", "lip_dynamics"),
        free=(*SOUND, "csim", "jitter", "relative_offset", "cpbd", "laplacian"),  # one frame is sharper than others
    ),
    "dubbed": KnownChange("another clip's sound", dubbed, worse=("closed",), free=SOUND),
    "replaced": KnownChange(
        "another person",
        replaced,
        worse=(*PIXELS, *SHAPE, "opening", "closed", "csim"),
        free=(*SOUND, "cpbd", "laplacian", "spread", "lip_dynamics", "jitter", "relative_offset"),
        other_person=True,
    ),
    "encoded": KnownChange("encoded again, H.264", encoded, worse=PIXELS, free=(*SHAPE, *MOTION, "laplacian")),
}


def self_test(real: Path, seed: int, jobs: int, clips: int = MAX_CLIPS) -> pd.DataFrame:
    """Change at most ``clips`` real videos of a folder in every way of `CHANGES`, and check each metric.

    A metric that must stay the same passes if the interval of its difference includes 0, if its mean stays within the
    interval of the real clips, or if its mean changes by at most `TOLERANCE`. `RARE` is free with fewer than
    `RARE_CLIPS` clips.

    Returns a row per change and metric: ``change, metric, value, before, difference, low, high, expected, holds``.
    ``value`` is the mean over clips and ``before`` the mean of the unchanged clips; ``difference`` is how much worse it
    got, with its paired 95% interval; ``expected`` is ``worse``, ``same`` or ``free``. An offset from 0 that must get
    worse must grow: the lips of a real clip may be early, and a delay then moves them nearer to 0. Raises PipelineError
    if fewer than `MIN_CLIPS` clips can be used.
    """
    chosen = _choose(find_test_videos(real), clips)
    print(f"self-test: {len(chosen)} clips, each with {len(CHANGES) - 1} changes", flush=True)
    tasks: Iterator[workers.Task] = ((measure_changes, task, {}) for task in _with_partners(chosen))
    rows: list[dict[str, object]] = []
    with closing(workers.run(tasks, jobs, ordered=True)) as results:
        for clip_rows in with_progress(results, "self-test", len(chosen)):
            rows += clip_rows
    usable = len({row["id"] for row in rows})
    if usable < MIN_CLIPS:
        fault = f"--real: {usable} of {len(chosen)} videos in {real} show a face"
        raise PipelineError(f"{fault}; the self-test needs {MIN_CLIPS}. Give others.")
    return check_metrics(pd.DataFrame(rows), seed)


def check_metrics(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The table of `self_test` from a row of metrics per clip and change."""
    checked = []
    real = rows[rows["change"] == ITSELF].set_index("id")
    for change, of_change in rows[rows["change"] != ITSELF].groupby("change", sort=False):
        changed = of_change.set_index("id")
        for name, entry in METRICS.items():
            if name not in rows or not (changed[name].notna() & real[name].notna()).any():
                continue
            before, after = real[name].reindex(changed.index), changed[name]
            worse_by = entry.badness(after, before) - entry.badness(before, before)
            expected = _expected(CHANGES[str(change)], name, int(worse_by.count()))
            if expected == "worse" and entry.nearest == "0":
                worse_by = after - before
            low, high = interval(worse_by, seed)
            real_low, real_high = interval(before, seed)
            little = abs(after.mean() - before.mean()) <= TOLERANCE * abs(before.mean())
            unchanged = low <= 0 <= high or real_low <= after.mean() <= real_high or little
            holds = {"worse": low > 0, "same": unchanged, "free": True}[expected]
            numbers = (float(after.mean()), float(before.mean()), float(worse_by.mean()), low, high)
            checked.append((change, name, *(round(number, 6) for number in numbers), expected, holds))
    columns = ["change", "metric", "value", "before", "difference", "low", "high", "expected", "holds"]
    return pd.DataFrame(checked, columns=columns)


def _expected(change: KnownChange, metric: str, clips: int) -> str:
    if metric in change.free or (metric == RARE and clips < RARE_CLIPS):
        return "free"
    return "worse" if metric in change.worse else "same"


def _choose(videos: Mapping[str, Path], clips: int) -> list[Path]:
    """At most ``clips`` videos: the first of each folder, then the second of each, and so on."""
    folders: dict[Path, list[Path]] = defaultdict(list)
    for path in videos.values():
        folders[path.parent].append(path)
    turns = [folder[turn] for turn in range(clips) for folder in folders.values() if turn < len(folder)]
    return turns[:clips]


def _with_partners(chosen: list[Path]) -> Iterator[tuple[Path, Path, Path | None]]:
    """Each clip, the next clip of its folder (or else of another folder), and the next clip of another folder."""
    for place, clip in enumerate(chosen):
        others = [*chosen[place + 1 :], *chosen[:place]]
        other_folders = [other for other in others if other.parent != clip.parent]
        same_folder = [other for other in others if other.parent == clip.parent]
        yield clip, (same_folder or other_folders)[0], other_folders[0] if other_folders else None


def measure_changes(clip: Path, other: Path, other_person: Path | None) -> list[dict[str, object]]:
    """The metrics of a clip after each change, a row each; empty if a video cannot be used. Runs in worker processes.

    Changes take from ``other``, or from ``other_person`` if they need another person; without one they are left out.
    """
    cv2.setNumThreads(0)
    try:
        real_clip, other_clip = _read(clip), _read(other)
        other_person_clip = _read(other_person) if other_person else None
    except Exception:  # decoders raise anything; one odd file does not stop the others
        return []
    real = observe(real_clip.frames_THWC)
    reference = describe_face(real_clip.frames_THWC[0], real.points_T68x2[0])
    rows: list[dict[str, object]] = []
    for name, change in CHANGES.items():
        source = other_person_clip if change.other_person else other_clip
        if source is None:
            continue
        changed = change.make(real_clip, source)
        features = real if changed.frames_THWC is real_clip.frames_THWC else observe(changed.frames_THWC)
        audio = hear(changed.samples_N, len(features.frames_THWC), changed.phonemes_T)
        rows.append({"id": real_clip.id, "change": name, **compute_metrics(real, features, reference, audio).values})
    return rows


def _read(path: Path) -> RealClip:
    crops = crop_real(path)
    frames = len(crops.frames_THWC)
    samples_N = read_audio(path, duration=frames / FPS)
    return RealClip(str(path), crops.frames_THWC, samples_N, known_words(path, frames).phonemes_T)
