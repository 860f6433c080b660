"""Metrics that test themselves: real clips are changed in known ways, and each metric must see that, and only that."""

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
from rich.progress import track

from pipeline.evaluation.bootstrap import interval
from pipeline.evaluation.score.clip import known_words
from pipeline.evaluation.score.crops import crop_real
from pipeline.evaluation.score.pairs import find_videos
from pipeline.media import VideoWriter, read_audio, read_frames
from pipeline.metrics import METRICS
from pipeline.metrics.base import MetricEntry
from pipeline.metrics.compute import compute_metrics
from pipeline.metrics.observe import describe_face, hear, observe
from pipeline.runtime import workers
from pipeline.runtime.clock import FPS
from pipeline.runtime.errors import PipelineError

SHIFT = 3
"""Frames by which the lips are made late."""
ITSELF = "itself"


@dataclass(frozen=True)
class Material:
    """Crops (T, size, size, 3) of a real video, its sound, and the classes of its phonemes where they are known."""

    id: str
    frames_THWC: NDArray[np.uint8]
    samples_N: NDArray[np.int16]
    phonemes_T: NDArray[np.int8] | None


Changing = Callable[[Material, Material], Material]
"""A clip, and another one that the change may take from."""


def late(clip: Material, other: Material) -> Material:
    """The pictures come `SHIFT` frames after their sound."""
    first = np.repeat(clip.frames_THWC[:1], SHIFT, axis=0)
    return replace(clip, frames_THWC=np.concatenate([first, clip.frames_THWC[:-SHIFT]]))


def blurred(clip: Material, other: Material) -> Material:
    """Each frame behind a Gaussian of a hundredth of its side."""
    deviation = clip.frames_THWC.shape[1] / 100
    return replace(clip, frames_THWC=np.stack([cv2.GaussianBlur(one, (0, 0), deviation) for one in clip.frames_THWC]))


def frozen(clip: Material, other: Material) -> Material:
    """The lower half of the face is that of the first frame, in every frame."""
    frames = clip.frames_THWC.copy()
    half = frames.shape[1] // 2
    frames[:, half:] = frames[:1, half:]
    return replace(clip, frames_THWC=frames)


def dubbed(clip: Material, other: Material) -> Material:
    """Sound, and what is said in it, are another clip's."""
    phonemes_T = None if other.phonemes_T is None else np.resize(other.phonemes_T, len(clip.frames_THWC))
    return replace(clip, samples_N=np.resize(other.samples_N, len(clip.samples_N)), phonemes_T=phonemes_T)


def replaced(clip: Material, other: Material) -> Material:
    """Another person's pictures."""
    return replace(clip, frames_THWC=other.frames_THWC[np.arange(len(clip.frames_THWC)) % len(other.frames_THWC)])


def encoded(clip: Material, other: Material) -> Material:
    """Encoded again, as every video is that somebody sends."""
    size = clip.frames_THWC.shape[1]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "again.mp4"
        with VideoWriter(path, size=(size, size), fps=FPS) as video:
            for frame in clip.frames_THWC:
                video.write(frame)
        return replace(clip, frames_THWC=np.stack(list(read_frames(path))))


PIXELS = ("psnr", "ssim", "paper_psnr", "paper_ssim")
SHAPE = ("lmd", "lmd_eyes", "f_lmd", "f_lmd_eyes", "paper_lmd")
HEARD = ("lip_sync", "silent_stability", "av_offset", "av_strength")
MOVED = ("opening", "spread", "silent_stability", "lip_dynamics", "jitter")
"""Metrics of how far points move. Blur and encoding smooth the pictures, and with them the motion of dlib's points."""
RARE, RARE_CLIPS = "closed", 10
"""A metric of what happens once or twice in a clip, and the clips with a value from which on it must find a change."""


@dataclass(frozen=True)
class Change:
    """What is done to real clips, and what metrics must make of it."""

    title: str
    make: Changing
    worse: tuple[str, ...] = ()
    """Those that must find it worse, the 95% interval of the difference over."""
    free: tuple[str, ...] = ()
    """Those that may say what they like. All others must say nothing."""


CHANGES = {
    "itself": Change("the real clip beside itself", lambda clip, other: clip),
    "late": Change(
        f"the lips {SHIFT} frames late",
        late,
        worse=(*PIXELS, *SHAPE, "opening", "closed", "relative_offset", "av_offset"),
        free=("lip_sync", "silent_stability", "av_strength", "spread"),
    ),
    "blurred": Change(
        "behind a Gaussian of 1.28 px",
        blurred,
        worse=(*PIXELS, "cpbd", "laplacian"),
        free=(*SHAPE, *MOVED, "csim", "av_strength"),
    ),
    "frozen": Change(
        "the lower half of the face as in the first frame",
        frozen,
        worse=(*PIXELS, *SHAPE, "opening", "spread", "closed", "lip_dynamics"),
        free=(*HEARD, "csim", "jitter", "relative_offset"),
    ),
    "dubbed": Change("another clip's sound", dubbed, worse=("closed",), free=HEARD),
    "replaced": Change(
        "another person",
        replaced,
        worse=(*PIXELS, *SHAPE, "opening", "closed", "csim"),
        free=(*HEARD, "cpbd", "laplacian", "spread", "lip_dynamics", "relative_offset"),
    ),
    "encoded": Change("encoded again, H.264", encoded, worse=PIXELS, free=(*SHAPE, *MOVED)),
}


CLIPS = 12
"""At most so many real videos are changed."""


def self_test(real: Path, seed: int, jobs: int, clips: int = CLIPS) -> pd.DataFrame:
    """Change ``clips`` real videos of the folder ``real`` in every way of `CHANGES`: what each metric makes of it.

    A row per change and metric: ``change, metric, value, before, difference, low, high, expected, holds``. ``value``
    is the mean over clips and ``before`` that of the real ones beside themselves; ``difference`` is how much worse it
    got, with its 95% interval (paired, over clips); ``expected`` is `worse`, `same` or `free`. What is expected to be
    the same holds where that interval includes 0, or the mean stays within the interval of the real ones'.
    With fewer than `RARE_CLIPS` clips that have it, `RARE` may say what it likes.
    Raises PipelineError when fewer than two clips can be used.
    """
    chosen = _choose(find_videos(real, "--real"), clips)
    if len(chosen) < 2:
        raise PipelineError(f"--real: {real} holds one video, and the self-test takes two or more: give more.")
    tasks: Iterator[workers.Task] = ((measure_changes, one, {}) for one in _partners(chosen))
    rows: list[dict[str, object]] = []
    with closing(workers.run(tasks, jobs, ordered=True)) as results:
        for of_clip in track(results, total=len(chosen), description="self-test", transient=True):
            rows += of_clip
    if len({row["id"] for row in rows}) < 2:
        raise PipelineError(f"--real: a face is found in fewer than two videos of {real}: give others.")
    return judge(pd.DataFrame(rows), seed)


def judge(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The table of `self_test` from its ``rows``, one per clip and change, with the metrics that each has."""
    made = []
    before = rows[rows["change"] == ITSELF].set_index("id")
    for change, of_change in rows[rows["change"] != ITSELF].groupby("change", sort=False):
        after = of_change.set_index("id")
        for name, entry in METRICS.items():
            if name not in rows or not (after[name].notna() & before[name].notna()).any():
                continue
            was, became = before[name].reindex(after.index), after[name]
            apart = _badness(entry, became, was) - _badness(entry, was, was)
            low, high = interval(apart, seed)
            within = interval(was, seed)
            expected = _expected(CHANGES[str(change)], name)
            if name == RARE and apart.count() < RARE_CLIPS:
                expected = "free"
            holds = {
                "worse": low > 0,
                "same": low <= 0 <= high or within[0] <= became.mean() <= within[1],
                "free": True,
            }[expected]
            numbers = (float(became.mean()), float(was.mean()), float(apart.mean()), low, high)
            made.append((change, name, *(round(one, 6) for one in numbers), expected, holds))
    columns = ["change", "metric", "value", "before", "difference", "low", "high", "expected", "holds"]
    return pd.DataFrame(made, columns=columns)


def _expected(change: Change, metric: str) -> str:
    return "worse" if metric in change.worse else "free" if metric in change.free else "same"


def _badness(entry: MetricEntry, values: pd.Series, real: pd.Series) -> pd.Series:
    """How bad values are, whatever the metric's direction."""
    if entry.nearest:
        return (values - (real if entry.nearest == "the real clip" else 0)).abs()
    return -values if entry.higher_is_better else values


def _choose(videos: Mapping[str, Path], clips: int) -> list[Path]:
    """As many from every folder as can be, spread over each."""
    folders: dict[Path, list[Path]] = defaultdict(list)
    for path in videos.values():
        folders[path.parent].append(path)
    turns = [folder[turn] for turn in range(clips) for folder in folders.values() if turn < len(folder)]
    return turns[:clips]


def _partners(chosen: list[Path]) -> Iterator[tuple[Path, Path, Path | None]]:
    """Each with the next clip, of the same folder where there is one, and the next of another folder."""
    for place, clip in enumerate(chosen):
        others = [*chosen[place + 1 :], *chosen[:place]]
        strangers = [one for one in others if one.parent != clip.parent]
        kin = [one for one in others if one.parent == clip.parent]
        yield clip, (kin or strangers)[0], strangers[0] if strangers else None


def measure_changes(clip: Path, other: Path, stranger: Path | None) -> list[dict[str, object]]:
    """A row per change of a clip: its metrics. Runs in worker processes; nothing for a clip that cannot be used.

    What takes from another clip takes from ``other``, and from ``stranger`` where it shall be another person.
    """
    cv2.setNumThreads(0)
    try:
        own, another = _read(clip), _read(other)
        someone = _read(stranger) if stranger else None
    except Exception:  # also of a decoder: one odd file does not stop the others
        return []
    real = observe(own.frames_THWC)
    reference = describe_face(own.frames_THWC[0], real.points_T68x2[0])
    rows: list[dict[str, object]] = []
    for name, change in CHANGES.items():
        source = someone if change.make is replaced else another
        if source is None:
            continue
        changed = change.make(own, source)
        seen = real if changed.frames_THWC is own.frames_THWC else observe(changed.frames_THWC)
        heard = hear(changed.samples_N, len(seen.frames_THWC), changed.phonemes_T)
        rows.append({"id": own.id, "change": name, **compute_metrics(real, seen, reference, heard).values})
    return rows


def _read(path: Path) -> Material:
    crops = crop_real(path)
    frames = len(crops.frames_THWC)
    samples_N = read_audio(path, duration=frames / FPS)
    return Material(str(path), crops.frames_THWC, samples_N, known_words(path, frames).phonemes_T)
