"""Speed with torch's default threads and with the project's settings, alone and next to busy processes.

By default there are as many threads as cores, and they spin while they wait for each other. The project lets them sleep
and trains a slim network in one thread (`pipeline/__init__.py`, `pipeline/runtime/devices.py`). Generation by VG-net,
training steps of both networks and the stage evaluate are measured in turns, each in its own process, on the outputs of
`dvc repro`.

    python benchmarks/threads.py --rounds 3 --busy 0 1 2
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

SECONDS = 6.0
"""Minimum length of a measurement."""
WORKS = {"generation": "frames/s", "vgnet": "steps/s", "atnet": "steps/s", "evaluation": "clips/s"}
BUSY = "import time\nend = time.time() + 600\nwhile time.time() < end: pass"


def generation() -> Iterator[int]:
    """Generate the frames of a test clip repeatedly."""
    from pipeline.evaluation.baselines.base import vg_gt
    from pipeline.evaluation.clips import StoredClips
    from pipeline.inference.talking_head import TalkingHead
    from pipeline.runtime import paths
    from pipeline.shards.clip_store import ClipStore

    head, clips = TalkingHead.from_pretrained(paths.MODELS), StoredClips(ClipStore(paths.DATA))
    clip = clips.load(clips.ids("test")[0])
    while True:
        yield len(vg_gt(head, clip).frames_THWC)


def training(network: str) -> Iterator[int]:
    """Train steps with the project's parameters."""
    from pipeline.config.file import load_params
    from pipeline.runtime import paths
    from pipeline.runtime.devices import training_threads
    from pipeline.training.atnet import AtNetTask
    from pipeline.training.sources import open_sources
    from pipeline.training.vgnet import VgNetTask

    params = load_params(paths.PARAMS)
    task: AtNetTask | VgNetTask
    if network == "atnet":
        task = AtNetTask(*open_sources("atnet", params), params.atnet, params.seed)
    else:
        task = VgNetTask(*open_sources("vgnet", params), params.vgnet, params.seed)
    with training_threads(task.params.width):
        step = 0
        while True:
            task.step(task.batch(step))  # type: ignore[arg-type]
            step += 1
            yield 1


def evaluation() -> Iterator[int]:
    """Evaluate four clips with all metrics, in a process per core."""
    from pipeline.config.params import Evaluate
    from pipeline.evaluation.clips import StoredClips
    from pipeline.evaluation.evaluate import evaluate
    from pipeline.inference.talking_head import TalkingHead
    from pipeline.runtime import machine, paths
    from pipeline.shards.clip_store import ClipStore

    head, clips = TalkingHead.from_pretrained(paths.MODELS), StoredClips(ClipStore(paths.DATA))
    while True:
        with tempfile.TemporaryDirectory() as out:
            evaluate(head, clips, Evaluate(max_clips=4, videos=0), 0, Path(out), machine.jobs())
        yield 4


def measure(work: str) -> float:
    """Units of work per second, after one call that is not counted."""
    done = (
        training(work) if work in ("atnet", "vgnet") else {"generation": generation, "evaluation": evaluation}[work]()
    )
    next(done)
    start, amount = time.perf_counter(), 0
    while time.perf_counter() - start < SECONDS:
        amount += next(done)
    return amount / (time.perf_counter() - start)


@contextmanager
def beside(busy: int) -> Iterator[None]:
    """Run ``busy`` other processes that never sleep."""
    others = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(busy)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def apart(work: str, itself: bool) -> float:
    """`measure` in its own process."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OMP_")}
    if itself:
        environment["OMP_NUM_THREADS"] = str(os.cpu_count())
    command = [sys.executable, __file__, "--measure", work, *(["--itself"] if itself else [])]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, text=True)
    return float(done.stdout.split()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--busy", type=int, nargs="+", default=[0, 1, 2], help="numbers of other busy processes")
    parser.add_argument("--works", nargs="+", choices=WORKS, default=list(WORKS))
    parser.add_argument("--measure", choices=WORKS, help=argparse.SUPPRESS)
    parser.add_argument("--itself", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        if arguments.itself:
            import torch  # noqa: F401  before the project sets how threads wait
        print(measure(arguments.measure))
        return
    print(f"| | other busy processes | by default | here | ratio ({arguments.rounds} rounds: median, range) |")
    print("|---|---|---|---|---|", flush=True)
    for work in arguments.works:
        for busy in arguments.busy:
            with beside(busy):
                pairs = [(apart(work, itself=True), apart(work, itself=False)) for _ in range(arguments.rounds)]
            itself, here = (median(column) for column in zip(*pairs, strict=True))
            ratios = sorted(ours / theirs for theirs, ours in pairs)
            spread = f"{median(ratios):.1f} ({ratios[0]:.1f} to {ratios[-1]:.1f})"
            print(f"| {work}, {WORKS[work]} | {busy} | {itself:.2f} | {here:.2f} | {spread} |", flush=True)


if __name__ == "__main__":
    main()
