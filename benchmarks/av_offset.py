"""How often the metric `av_offset` finds by how many frames the lips of a real clip were moved against its sound.

Takes the clips that benchmarks/closed_lips.py kept, the first `--clips` with a face in all frames, and moves the lips
by each of `SHIFTS`. Then the same for `relative_offset`, of lips with noise of `NOISE` beside the unmoved ones, and how
often the lips of another clip are told to have an offset.

    python -m benchmarks.av_offset GRID --out build/closed_lips.npz
"""

import argparse
from pathlib import Path

import numpy as np

from benchmarks.closed_lips import Real, read_clips
from pipeline.metrics.offset import SURE, av_offset, av_strength, mouth_correlations, relative_offset

SHIFTS = range(-5, 6)
NOISE = 0.3
"""Pixels of the 128x128 face, the deviation of each point: what a good encoding does to dlib's points."""


def found(clip: Real, shift: int) -> float:
    """The offset of a clip whose lips come ``shift`` frames late."""
    frames = len(clip.loudness_T)
    late, early = max(0, shift), max(0, -shift)
    points = clip.points_T68x2[early : frames - late]
    return av_offset(points, clip.loudness_T[late : frames - early])


def print_relative(clips: list[Real]) -> None:
    draw = np.random.default_rng(0)
    away = []
    for clip in clips:
        for shift in SHIFTS:
            frames, late, early = len(clip.loudness_T), max(0, shift), max(0, -shift)
            fake, real = clip.points_T68x2[early : frames - late], clip.points_T68x2[late : frames - early]
            away.append(relative_offset(fake + draw.normal(0, NOISE, fake.shape), real) - shift)
    near, told = np.abs(away) <= 1, ~np.isnan(away)
    print(f"relative_offset: within one frame {near.mean():.1%}, told {told.mean():.1%}")
    highest = []
    for number, clip in enumerate(clips):
        for other in (clips[(number + more) % len(clips)] for more in range(1, 7)):
            frames = min(len(clip.loudness_T), len(other.loudness_T))
            highest.append(mouth_correlations(clip.points_T68x2[:frames], other.points_T68x2[:frames])[1].max())
    print(
        f"lips of another clip: told {np.mean(np.array(highest) >= SURE):.1%}, "
        f"95th percentile {np.percentile(highest, 95):.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--clips", type=int, default=40)
    args = parser.parse_args()
    clips = read_clips(args.root, 60, args.out, jobs=1)
    whole = [one for one in clips if not np.isnan(one.points_T68x2).any()]
    some = whole[:: max(1, len(whole) // args.clips)][: args.clips]
    offsets = np.array([[found(one, shift) for shift in SHIFTS] for one in some])
    unmoved = offsets[:, [list(SHIFTS).index(0)]]
    for name, expected in (("of the true offset", np.array(SHIFTS)), ("of the unmoved clip's and k", unmoved + SHIFTS)):
        near = np.abs(offsets - expected) <= 1
        print(f"within one frame {name}, k from -5 to 5: {near.mean():.1%} ({near.mean(axis=0).round(2).tolist()})")
    print(f"unmoved: median {np.median(unmoved):.0f}, mean {unmoved.mean():.2f}, {len(some)} clips")
    print("median by k:", np.median(offsets, axis=0).tolist())
    near, strong = np.abs(unmoved[:, 0]) <= 2, np.array([av_strength(one.points_T68x2, one.loudness_T) for one in some])
    for name, chosen in (("0.35 and more", strong >= 0.35), ("less", strong < 0.35)):
        print(f"unmoved within two frames of 0, strength {name}: {near[chosen].sum()} of {chosen.sum()}")
    print_relative(some)
    strengths = [av_strength(one.points_T68x2, one.loudness_T) for one in some]
    others = [
        av_strength(a.points_T68x2[:74], b.loudness_T[:74]) for a, b in zip(some, some[1:] + some[:1], strict=True)
    ]
    print(f"strength: {np.mean(strengths):.3f}, with the next clip's sound {np.mean(others):.3f}")


if __name__ == "__main__":
    main()
