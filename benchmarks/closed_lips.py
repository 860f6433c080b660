"""Fits the threshold of the metric `closed` on real clips: how far apart closed lips may be.

Reads `--most` clips per speaker in GRID's layout with alignments. It measures the openings of the inner lips during p,
b and m (the smallest within the phoneme and one frame on either side) and in all frames of open vowels. For three
measures of opening it prints the threshold that separates both best (Youden's J: the share of the first at or below
the threshold minus that of the second), and the result on speakers that were not used for the fit. Then it prints the
metric for the real clips, for the phonemes of the next clip, and for frozen clips. The points are kept in `--out`.

    python -m benchmarks.closed_lips GRID --out build/closed_lips.npz
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from pipeline.corpora.alignment import find_alignment, read_alignment
from pipeline.faces.align import align
from pipeline.faces.crop import crop_face
from pipeline.faces.track import track_face
from pipeline.landmarks.shape import mouth_opening
from pipeline.media import read_audio, read_frames
from pipeline.metrics.lips import BESIDE, CLOSED, REST, closed_level, closed_share, runs
from pipeline.metrics.observe import find_landmarks
from pipeline.metrics.transcript import transcribe
from pipeline.runtime.clock import SAMPLES_PER_FRAME
from pipeline.speech.phonemes import Phoneme

Openings = Callable[[NDArray[np.float64]], NDArray[np.float64]]
WAYS: dict[str, Openings] = {
    "opening": lambda opening_T: opening_T,
    "share of the clip's 5th to 95th percentile": lambda opening_T: (
        (opening_T - _rest(opening_T)) / (np.nanpercentile(opening_T, 100 - REST) - _rest(opening_T))
    ),
    "opening above the clip's 5th percentile": lambda opening_T: opening_T - _rest(opening_T),
}


@dataclass(frozen=True)
class Real:
    """Points, phonemes and loudness of a clip."""

    speaker: str
    points_T68x2: NDArray[np.float32]
    phonemes_T: NDArray[np.int8]
    loudness_T: NDArray[np.float64]


def read_clip(path: Path, speaker: str) -> Real | None:
    """The measurements of a clip; None without a face."""
    frames = list(read_frames(path))
    track = track_face(frames, detect_every=10)
    if not track.found_T.any():
        return None
    transforms = align(track.points_T68x2, per_frame=False, smoothing=0.2)
    crops = np.stack([crop_face(*pair) for pair in zip(frames, transforms, strict=True)])
    samples = np.zeros(len(frames) * SAMPLES_PER_FRAME)
    sound = read_audio(path)[: len(samples)]
    samples[: len(sound)] = sound / 32768
    loudness = np.sqrt(np.square(samples).reshape(len(frames), -1).mean(axis=1))
    alignment = find_alignment(path)
    if alignment is None:
        raise SystemExit(f"{path} has no alignment. Give a folder in GRID's layout.")
    phonemes_T = transcribe(read_alignment(alignment), len(frames)).phonemes_T
    if phonemes_T is None:
        raise SystemExit("Install espeak-ng: `make dev`.")
    return Real(speaker, find_landmarks(crops), phonemes_T, loudness)


def read_clips(root: Path, most: int, kept: Path, jobs: int) -> list[Real]:
    """At most ``most`` clips per speaker, spread over their names; from the file ``kept`` when it exists."""
    if not kept.exists():
        chosen = []
        for speaker, files in groupby(sorted(root.glob("s*/*.mp*g")), lambda path: path.parent.name):
            paths = list(files)
            chosen += [(path, speaker) for path in paths[:: -(-len(paths) // most)]]
        results = Parallel(jobs)(delayed(read_clip)(path, speaker) for path, speaker in chosen)
        clips = [clip for clip in results if clip is not None]
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(kept, clips=np.array([tuple(vars(clip).values()) for clip in clips], object))
    with np.load(kept, allow_pickle=True) as arrays:
        return [Real(*values) for values in arrays["clips"]]


def _rest(opening_T: NDArray[np.float64]) -> float:
    return float(np.nanpercentile(opening_T, REST))


def openings(clips: list[Real], way: Openings) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The smallest opening of each p, b and m, and the opening of each frame of an open vowel."""
    closed, wide = [], []
    for clip in clips:
        opening_T = way(mouth_opening(clip.points_T68x2))
        for first, last in runs(clip.phonemes_T == Phoneme.BILABIAL):
            closed.append(opening_T[max(0, first - BESIDE) : last + BESIDE].min())
        wide.append(opening_T[clip.phonemes_T == Phoneme.OPEN_VOWEL])
    both = np.array(closed), np.concatenate(wide)
    return both[0][~np.isnan(both[0])], both[1][~np.isnan(both[1])]


def fit(closed: NDArray[np.float64], wide: NDArray[np.float64]) -> float:
    """The threshold with the highest J."""
    levels = np.unique(np.concatenate([closed, wide]))
    return float(max(levels, key=lambda level: (closed <= level).mean() - (wide <= level).mean()))


def _below(values: tuple[NDArray[np.float64], NDArray[np.float64]], level: float) -> str:
    closed, wide = ((side <= level).mean() for side in values)
    counts = f"{len(values[0])} p, b, m; {len(values[1])} vowel frames"
    return f"{closed:6.1%} of p, b, m, {wide:6.1%} of open vowels, J {closed - wide:.3f} ({counts})"


def report(clips: list[Real], main_speaker: str) -> Iterator[str]:
    """The lines to print; ``main_speaker`` has the most clips."""
    groups = {main_speaker: [clip for clip in clips if clip.speaker == main_speaker]}
    groups["others"] = [clip for clip in clips if clip.speaker != main_speaker]
    for name, way in WAYS.items():
        values = {group: openings(members, way) for group, members in {**groups, "all": clips}.items()}
        yield f"{name}: at or below {(level := fit(*values['all'])):.4f} are {_below(values['all'], level)}"
        for group, other in ((main_speaker, "others"), ("others", main_speaker)):
            fitted = fit(*values[other])
            yield f"  {group}: {_below(values[group], level)}"
            yield f"  fitted on {other}, {fitted:.4f}, on {group}: {_below(values[group], fitted)}"
    for group, members in groups.items():
        rests = [_rest(mouth_opening(clip.points_T68x2)) for clip in members]
        yield f"5th percentiles, {group}: {min(rests):.3f} to {max(rests):.3f}, median {np.median(rests):.3f}"
    for group, members in groups.items():
        others = members[1:] + members[:1]
        rows: dict[str, list[float]] = {
            "real": [closed_share(clip.points_T68x2, clip.phonemes_T) for clip in members],
            "the next clip's phonemes": [
                closed_share(clip.points_T68x2, other.phonemes_T) for clip, other in zip(members, others, strict=True)
            ],
            "frozen": [
                closed_share(clip.points_T68x2[:1].repeat(len(clip.phonemes_T), 0), clip.phonemes_T) for clip in members
            ],
            "frames of open vowels": [_vowels(clip) for clip in members],
        }
        yield f"closed, {group}: " + ", ".join(f"{name} {np.nanmean(row):.3f}" for name, row in rows.items())


def _vowels(clip: Real) -> float:
    opening_T = mouth_opening(clip.points_T68x2)
    return float((opening_T[clip.phonemes_T == Phoneme.OPEN_VOWEL] <= closed_level(opening_T) + CLOSED).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("--most", type=int, default=60)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args()
    clips = read_clips(args.root, args.most, args.out, args.jobs)
    speakers = [clip.speaker for clip in clips]
    print(f"{len(clips)} clips of {len(set(speakers))} speakers")
    for line in report(clips, max(set(speakers), key=speakers.count)):
        print(line)


if __name__ == "__main__":
    main()
