"""The networks of a bundle by ONNX Runtime beside PyTorch's, as `atvgnet generate` runs them: frames per second.

In one run, in turns, each in one thread; so many frames in a call as generation has, or one. Seconds are the
processor's, so that other work on the machine does not count.

    python benchmarks/onnx_runtime.py --rounds 5
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

from pipeline.bundles.bundle import load_bundle
from pipeline.bundles.onnx.write import NETWORKS, export_onnx
from pipeline.models.atnet import AtNet
from pipeline.models.folding import for_inference
from pipeline.models.vgnet import VgNet
from pipeline.preprocessing.loading import bundle_folder
from pipeline.runtime.devices import autocast
from pipeline.runtime.machine import Precision
from pipeline.speech.streaming import CHUNK

CPU = torch.device("cpu")
CUT = {"atnet": "windows_BT1RC", "vgnet": "landmarks_BTL"}
Arrays = dict[str, NDArray[np.float32]]
Work = Callable[[Arrays, int], None]
"""Runs a network on its inputs by name, so many frames at a time."""


def by_onnx(folder: Path, name: str) -> Work:
    about = json.loads((folder / NETWORKS).read_text())[name]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(folder / about["file"], options)

    def work(given: Arrays, chunk: int) -> None:
        state = {one: np.zeros(about["inputs"][one], np.float32) for one in about["state"]}
        for start in range(0, given[CUT[name]].shape[1], chunk):
            part = {CUT[name]: given[CUT[name]][:, start : start + chunk]}
            answer = dict(zip(about["outputs"], session.run(None, given | part | state), strict=True))
            state = {one: answer[following] for one, following in about["state"].items()}

    return work


def by_pytorch(network: AtNet | VgNet, precision: Precision) -> Work:
    ready = for_inference(network, CPU, precision)

    @torch.inference_mode()
    def work(given: Arrays, chunk: int) -> None:
        *fixed, cut = (torch.from_numpy(given[name]) for name in network.inputs)
        state: Any = None
        for part in cut.split(chunk, dim=1):
            if isinstance(ready, AtNet):
                (reference,) = fixed
                state = ready.stream(reference, part, state)[1]
            else:
                with autocast(CPU, precision):
                    state = ready(*fixed, part, state).state_BCHW

    return work


def compare(name: str, works: dict[str, Work], given: Arrays, chunk: int, rounds: int) -> None:
    """Print the rates, and each as a multiple of the first's in the same round."""
    frames = given[CUT[name]].shape[1]
    rates: dict[str, list[float]] = {one: [] for one in works}
    for number in range(rounds + 1):
        for one, work in works.items():
            start = time.process_time()
            work(given, chunk)
            if number:  # the first call is not counted
                rates[one].append(frames / (time.process_time() - start))
    first = next(iter(rates.values()))
    for one, many in rates.items():
        times = sorted(np.divide(many, first))
        spread = f"{median(times):.2f} ({times[0]:.2f} to {times[-1]:.2f})"
        print(f"{name}, {chunk} at a time, {one:17} {median(many):8.1f} frames/s  {spread}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", help="a bundle; the one that ships without it")
    parser.add_argument("--frames", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    source = bundle_folder(options.models)
    bundle, draw = load_bundle(source), np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        export_onnx(source, Path(folder) / "onnx")
        for name, network in (("atnet", bundle.atnet), ("vgnet", bundle.vgnet)):
            shapes = {
                one: [1, *(options.frames if size == -1 else size for size in shape[1:])]
                for one, shape in network.inputs.items()
            }
            given = {one: draw.uniform(-1, 1, shape).astype(np.float32) for one, shape in shapes.items()}
            works = {
                "PyTorch float32": by_pytorch(network, "float32"),
                "ONNX Runtime": by_onnx(Path(folder) / "onnx", name),
            }
            if name == "vgnet":
                works["PyTorch bfloat16"] = by_pytorch(network, "bfloat16")
            for chunk in (CHUNK, 1):
                compare(name, works, given, chunk, options.rounds)


if __name__ == "__main__":
    main()
