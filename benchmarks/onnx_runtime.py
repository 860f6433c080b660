"""Frames per second of a bundle's networks in ONNX Runtime and in PyTorch, as `atvgnet generate` runs them.

Both run in turns in one thread, with as many frames per call as in generation and with one. Processor time is measured,
so other work on the machine does not count.

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
from pipeline.bundles.onnx import NETWORKS, export_onnx
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
"""Runs a network on its inputs by name, this number of frames at a time."""


def by_onnx(folder: Path, name: str) -> Work:
    record = json.loads((folder / NETWORKS).read_text())[name]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(folder / record["file"], options)

    def work(inputs: Arrays, chunk: int) -> None:
        state = {key: np.zeros(record["inputs"][key], np.float32) for key in record["state"]}
        for start in range(0, inputs[CUT[name]].shape[1], chunk):
            part = {CUT[name]: inputs[CUT[name]][:, start : start + chunk]}
            answer = dict(zip(record["outputs"], session.run(None, inputs | part | state), strict=True))
            state = {key: answer[following] for key, following in record["state"].items()}

    return work


def by_pytorch(network: AtNet | VgNet, precision: Precision) -> Work:
    ready = for_inference(network, CPU, precision)

    @torch.inference_mode()
    def work(inputs: Arrays, chunk: int) -> None:
        *fixed, cut = (torch.from_numpy(inputs[name]) for name in network.inputs)
        state: Any = None
        for part in cut.split(chunk, dim=1):
            if isinstance(ready, AtNet):
                (reference,) = fixed
                state = ready.stream(reference, part, state)[1]
            else:
                with autocast(CPU, precision):
                    state = ready(*fixed, part, state).state_BCHW

    return work


def compare(name: str, works: dict[str, Work], inputs: Arrays, chunk: int, rounds: int) -> None:
    """Print the rates, and each as a multiple of the first rate of the same round."""
    frames = inputs[CUT[name]].shape[1]
    rates: dict[str, list[float]] = {library: [] for library in works}
    for number in range(rounds + 1):
        for library, work in works.items():
            start = time.process_time()
            work(inputs, chunk)
            if number:  # the first call is not counted
                rates[library].append(frames / (time.process_time() - start))
    first = next(iter(rates.values()))
    for library, many in rates.items():
        times = sorted(np.divide(many, first))
        spread = f"{median(times):.2f} ({times[0]:.2f} to {times[-1]:.2f})"
        print(f"{name}, {chunk} at a time, {library:17} {median(many):8.1f} frames/s  {spread}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", help="a bundle; default: the one that ships")
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
                key: [1, *(options.frames if size == -1 else size for size in shape[1:])]
                for key, shape in network.inputs.items()
            }
            inputs = {key: draw.uniform(-1, 1, shape).astype(np.float32) for key, shape in shapes.items()}
            works = {
                "PyTorch float32": by_pytorch(network, "float32"),
                "ONNX Runtime": by_onnx(Path(folder) / "onnx", name),
            }
            if name == "vgnet":
                works["PyTorch bfloat16"] = by_pytorch(network, "bfloat16")
            for chunk in (CHUNK, 1):
                compare(name, works, inputs, chunk, options.rounds)


if __name__ == "__main__":
    main()
