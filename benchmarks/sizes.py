"""Time and memory of a training step of VG-net and its discriminator, for faces of 128 and of 256 pixels.

Each measurement runs in its own process, both sizes in turns. Pictures are random, because their content does not
change the time. On a CPU it is the processor time of the process, so other work on the machine counts little.

    python benchmarks/sizes.py --rounds 3 --widths 16 32
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from pipeline.training.data import StoreSource

SIZES = (128, 256)
STEPS = 4
"""Steps of a measurement, after one that is not counted."""


class RandomClips(StoreSource):
    """A source of random pictures."""

    lengths: Sequence[int] = (75,) * 24
    digest = ""

    def __init__(self, size: int) -> None:
        self.size = size
        self.weights: dict[tuple[int, ...], float] = {}
        self.random = np.random.default_rng(0)

    def pictures(self, clip: int, frames: Sequence[int]) -> NDArray[np.uint8]:
        return self.random.integers(0, 256, (len(frames), self.size, self.size, 3), np.uint8)

    def landmarks(self, clip: int, mirrored: bool = False) -> NDArray[np.float32]:
        return self.random.normal(size=(self.lengths[clip], 136)).astype(np.float32)


def measure(size: int, width: int, batch: int, frames: int) -> tuple[float, float]:
    """Median seconds of a step, and the peak memory in MB, of the GPU if there is one."""
    import torch

    from pipeline.config.training import VgNetParams
    from pipeline.runtime.devices import training_threads
    from pipeline.training.vgnet import VgNetTask

    clips = RandomClips(size)
    with training_threads(width):
        task = VgNetTask(clips, clips, VgNetParams(width=width, batch=batch, frames=frames), seed=0)
        on_gpu = task.device.type == "cuda"
        clock, taken = time.perf_counter if on_gpu else time.process_time, []
        for step in range(STEPS + 1):
            drawn = task.batch(step)
            start = clock()
            task.step(drawn)
            if on_gpu:
                torch.cuda.synchronize()
            taken.append(clock() - start)
    if on_gpu:
        return median(taken[1:]), torch.cuda.max_memory_allocated() / 2**20
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return median(taken[1:]), int(status["VmHWM"].split()[0]) / 1024


def apart(*arguments: int) -> tuple[float, float]:
    """`measure` in its own process."""
    command = [sys.executable, __file__, "--measure", *map(str, arguments)]
    seconds, memory = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout.split()[-2:]
    return float(seconds), float(memory)


def spread(values: Sequence[float], digits: int) -> str:
    """The median and the range."""
    return f"{median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--widths", type=int, nargs="+", default=[16, 32])
    parser.add_argument("--batch", type=int, default=2, help="windows in a step")
    parser.add_argument("--frames", type=int, default=8, help="frames of a window")
    parser.add_argument("--measure", type=int, nargs=4, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.measure:
        print(*measure(*chosen.measure))
        return
    print("| width | 128: s a step | 256: s a step | times | 128: MB | 256: MB |")
    print("|---|---|---|---|---|---|", flush=True)
    for width in chosen.widths:
        rounds = [[apart(size, width, chosen.batch, chosen.frames) for size in SIZES] for _ in range(chosen.rounds)]
        (small, small_memory), (large, large_memory) = (zip(*size, strict=True) for size in zip(*rounds, strict=True))
        times = [slower / faster for slower, faster in zip(large, small, strict=True)]
        seconds = f"{spread(small, 2)} | {spread(large, 2)} | {spread(times, 1)}"
        print(f"| {width} | {seconds} | {median(small_memory):.0f} | {median(large_memory):.0f} |", flush=True)


if __name__ == "__main__":
    main()
