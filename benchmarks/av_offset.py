"""How often the metric `av_offset` finds the offset of lips that were shifted against their sound.

Uses `--clips` of the clips that benchmarks/closed_lips.py kept, with a face in all frames, and shifts the lips by each
of `SHIFTS`. Then it measures `relative_offset` between lips with noise of `NOISE` and the original lips, and how often
the lips of another clip get an offset.

    python -m benchmarks.av_offset GRID --out build/closed_lips.npz
"""

import argparse
from pathlib import Path

import numpy as np

from benchmarks.closed_lips import Real, read_clips
from pipeline.metrics.offset import SURE, av_offset, av_strength, mouth_correlations, relative_offset

SHIFTS = range(-5, 6)
NOISE = 0.3
"""Standard deviation of each point in pixels of the 128x128 face, as after a good video encoding."""


def found(clip: Real, shift: int) -> float:
    """The measured offset of a clip whose lips come ``shift`` frames late."""
    frames = len(clip.loudness_T)
    late, early = max(0, shift), max(0, -shift)
    points = clip.points_T68x2[early : frames - late]
    return av_offset(points, clip.loudness_T[late : frames - early])


def print_relative(clips: list[Real]) -> None:
    draw = np.random.default_rng(0)
    errors = []
    for clip in clips:
        for shift in SHIFTS:
            frames, late, early = len(clip.loudness_T), max(0, shift), max(0, -shift)
            fake, real = clip.points_T68x2[early : frames - late], clip.points_T68x2[late : frames - early]
            errors.append(relative_offset(fake + draw.normal(0, NOISE, fake.shape), real) - shift)
    near, known = np.abs(errors) <= 1, ~np.isnan(errors)
    print(f"relative_offset: within one frame {near.mean():.1%}, with a result {known.mean():.1%}")
    highest = []
    for number, clip in enumerate(clips):
        for other in (clips[(number + more) % len(clips)] for more in range(1, 7)):
            frames = min(len(clip.loudness_T), len(other.loudness_T))
            highest.append(mouth_correlations(clip.points_T68x2[:frames], other.points_T68x2[:frames])[1].max())
    print(
        f"lips of another clip: with a result {np.mean(np.array(highest) >= SURE):.1%}, "
        f"95th percentile {np.percentile(highest, 95):.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--clips", type=int, default=40)
    args = parser.parse_args()
    clips = read_clips(args.root, 60, args.out, jobs=1)
    complete = [clip for clip in clips if not np.isnan(clip.points_T68x2).any()]
    chosen = complete[:: max(1, len(complete) // args.clips)][: args.clips]
    offsets = np.array([[found(clip, shift) for shift in SHIFTS] for clip in chosen])
    unmoved = offsets[:, [list(SHIFTS).index(0)]]
    for name, expected in (("of the true offset", np.array(SHIFTS)), ("of the unmoved clip's and k", unmoved + SHIFTS)):
        near = np.abs(offsets - expected) <= 1
        print(f"within one frame {name}, k from -5 to 5: {near.mean():.1%} ({near.mean(axis=0).round(2).tolist()})")
    print(f"unmoved: median {np.median(unmoved):.0f}, mean {unmoved.mean():.2f}, {len(chosen)} clips")
    print("median by k:", np.median(offsets, axis=0).tolist())
    strengths = np.array([av_strength(clip.points_T68x2, clip.loudness_T) for clip in chosen])
    near = np.abs(unmoved[:, 0]) <= 2
    for name, group in (("0.35 and more", strengths >= 0.35), ("less", strengths < 0.35)):
        print(f"unmoved within two frames of 0, strength {name}: {near[group].sum()} of {group.sum()}")
    print_relative(chosen)
    others = [
        av_strength(a.points_T68x2[:74], b.loudness_T[:74])
        for a, b in zip(chosen, chosen[1:] + chosen[:1], strict=True)
    ]
    print(f"strength: {np.mean(strengths):.3f}, with the next clip's sound {np.mean(others):.3f}")


if __name__ == "__main__":
    main()
