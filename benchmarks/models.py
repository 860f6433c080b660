"""Speed of the networks at the paper's size, compared with a naive implementation and with the machine's limit.

The naive implementation works frame by frame in float32, with one forward pass of the generator for each of the two
losses. One run measures the rate of the machine's matrix products, the generation of 75 frames, a training step, and
the loading of its batches from the shards of `dvc repro`, all at the size of their faces (`landmarks.size`).

    python benchmarks/models.py --rounds 3
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.optim import Adam
from torch.utils.flop_counter import FlopCounterMode

from pipeline.config.training import VgNetParams
from pipeline.landmarks.pca import LandmarkModel
from pipeline.models.discriminator import Discriminator
from pipeline.models.folding import for_inference
from pipeline.models.losses import decision_loss, pixel_loss, regression_loss, regression_weights
from pipeline.models.vgnet import VgNet
from pipeline.runtime import paths
from pipeline.runtime.devices import autocast, best_device, number_type, to_floats, to_pictures
from pipeline.runtime.machine import Precision
from pipeline.shards.clip_store import ClipStore
from pipeline.training.data import StoreSource, load_ahead, loaders
from pipeline.training.vgnet import VgBatch, VgNetTask

GENERATED = 75
CHUNK = 32  # frames that are generated at a time


def naive_frames(network: VgNet, image: Tensor, reference: Tensor, landmarks_BTL: Tensor) -> tuple[Tensor, Tensor]:
    """VG-net's frames and attention, one frame at a time; the reference is encoded once."""
    near = network.image_near(image)
    deep = network.image_deep(near)
    first_near = network.landmark_near(network.landmark_map(reference))
    first_deep = network.landmark_deep(first_near)
    state, frames, attentions = None, [], []
    for landmarks_BL in landmarks_BTL.unbind(1):
        moved_near = network.landmark_near(network.landmark_map(landmarks_BL))
        moved = network.landmark_deep(moved_near) - first_deep
        mixed = network.bottleneck(torch.cat([deep, moved], dim=1))
        hidden, state = network.gru(mixed[:, None], state)
        motion = network.motion(torch.cat([moved_near, first_near], dim=1))
        decoded = network.decode_deep(hidden[:, 0]) * motion + near * (1 - motion)
        painted = network.heads(network.decode_near(decoded))
        colour, attention = torch.tanh(painted[:, :3]), torch.sigmoid(painted[:, 3:])
        frames.append(attention * colour + (1 - attention) * image)
        attentions.append(attention)
    return torch.stack(frames, dim=1), torch.stack(attentions, dim=1)


def naive_judgement(network: Discriminator, frames_BTCHW: Tensor, reference: Tensor) -> tuple[Tensor, Tensor]:
    """The discriminator's outputs, one frame at a time."""
    pictures = torch.stack([network.image(frame) for frame in frames_BTCHW.unbind(1)], dim=1)
    face = network.reference(reference)[:, None].expand(-1, pictures.shape[1], -1)
    hidden, _ = network.lstm(torch.cat([face, pictures], dim=2))
    return network.decision(hidden).mean(dim=(1, 2)), network.landmarks(hidden) + reference[:, None]


class NaiveTraining:
    """A step of both networks, with one forward pass of the generator for each of them."""

    def __init__(self, params: VgNetParams, size: int, device: torch.device) -> None:
        self.generator = VgNet(params.width, dropout=params.dropout, size=size).to(device)
        self.judge = Discriminator(params.width, size).to(device)
        self.optimisers = [Adam(network.parameters(), 2e-4, (0.5, 0.999)) for network in (self.generator, self.judge)]
        self.weights, self.device = regression_weights().to(device), device

    def step(self, batch: VgBatch) -> None:
        pictures = to_floats(batch.pictures_BTHWC, self.device).contiguous()
        landmarks = batch.landmarks_BTL.to(self.device)
        image, real, reference, landmarks = pictures[:, 0], pictures[:, 1:], landmarks[:, 0], landmarks[:, 1:]
        with torch.no_grad():
            made, _ = naive_frames(self.generator, image, reference, landmarks)
        judged = [naive_judgement(self.judge, video, reference) for video in (real, made)]
        losses = [decision_loss(logits, is_real) for (logits, _), is_real in zip(judged, (True, False), strict=True)]
        losses += [regression_loss(read, landmarks, self.weights) for _, read in judged]
        self._descend(1, sum(losses, torch.zeros((), device=self.device)))
        made, attention = naive_frames(self.generator, image, reference, landmarks)
        logits, read = naive_judgement(self.judge, made, reference)
        loss = 10 * pixel_loss(made, real, attention) + decision_loss(logits, True)
        self._descend(0, loss + regression_loss(read, landmarks, self.weights))

    def _descend(self, number: int, loss: Tensor) -> None:
        self.optimisers[number].zero_grad()
        loss.backward()
        self.optimisers[number].step()


def seconds(work: Callable[[], object], device: torch.device) -> float:
    """Wall-clock time until the device has finished."""
    _wait(device)
    start = time.perf_counter()
    work()
    _wait(device)
    return time.perf_counter() - start


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def matrix_rate(kind: torch.dtype, device: torch.device) -> float:
    """The best rate of a square matrix product in floating-point operations per second."""
    size = 8192 if device.type == "cuda" else 2048
    a, b = (torch.randn(size, size, device=device).to(kind) for _ in range(2))
    return 2 * size**3 / min(seconds(lambda: a @ b, device) for _ in range(12))


def operations(work: Callable[[], object]) -> float:
    """Floating-point operations of the matrix products and convolutions in ``work``."""
    with FlopCounterMode(display=False) as counter:
        work()
    return float(counter.get_total_flops())


@torch.inference_mode()
def generation(rounds: int, frames: int, size: int, device: torch.device, precision: Precision, rate: float) -> None:
    torch.manual_seed(0)
    naive = VgNet(size=size).eval().to(device)
    ours = for_inference(naive, device, precision)
    image, reference = torch.rand(1, 3, size, size, device=device) * 2 - 1, torch.randn(1, 136, device=device)
    landmarks_BTL = reference[:, None] + 0.1 * torch.randn(1, frames, 136, device=device)

    def generate() -> NDArray[np.uint8]:
        frames, state = [], None
        for chunk in landmarks_BTL.split(CHUNK, dim=1):
            with autocast(device, precision):
                out = ours(image, reference, chunk, state)
            state = out.state_BCHW
            frames.append(to_pictures(out.frames_BTCHW))
        return np.concatenate(frames, axis=1)

    def frame_by_frame() -> NDArray[np.uint8]:
        return to_pictures(naive_frames(naive, image, reference, landmarks_BTL)[0])

    work = operations(generate)
    apart = np.abs(generate().astype(int) - frame_by_frame())
    slow, fast = _both(frame_by_frame, generate, rounds, device)
    print(
        f"generation of {frames} frames, {work / frames / 1e9:.2f} GFLOP each, {apart.mean():.2f} of 255 levels apart"
    )
    _compare("frames/s", [frames / time_s for time_s in slow], [frames / time_s for time_s in fast])
    _line("of the matrix rate", [work / time_s / rate for time_s in fast], "")


def training(rounds: int, params: VgNetParams, store: ClipStore, device: torch.device, rate: float) -> None:
    clips = StoreSource(store, LandmarkModel.load(paths.LANDMARKS_MODEL), "train", speech=False)
    task = VgNetTask(clips, clips, params, seed=0)
    drawn = task.batch(0)
    step = partial(task.step, drawn)
    if device.type == "cuda":
        step()  # also compiles, and tries convolutions
        torch.cuda.reset_peak_memory_stats(device)
        step()
        print(f"memory of a training step: {torch.cuda.max_memory_allocated(device) / 2**30:.1f} GB")
    naive_step = partial(NaiveTraining(params, clips.size, device).step, drawn)
    work = operations(partial(VgNetTask(clips, clips, replace(params, compile=False), seed=0).step, drawn))
    slow, fast = _both(naive_step, step, rounds, device)
    print(f"a training step of {params.batch} x {params.frames} frames, {work / 1e12:.2f} TFLOP")
    frames = params.batch * params.frames
    _compare("frames/s", [frames / time_s for time_s in slow], [frames / time_s for time_s in fast])
    _line("of the matrix rate", [work / time_s / rate for time_s in fast], "")
    loading(rounds, task, median(fast))


def loading(rounds: int, task: VgNetTask, step: float) -> None:
    """The rate at which the loader's threads make batches, as a multiple of the rate of training."""
    count = 100
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in load_ahead(task.batch, range(count), loaders()):
            pass
        taken.append((time.perf_counter() - start) / count)
    _line("loader to training", [step / time_s for time_s in taken], "")


def _both(
    naive: Callable[[], Any], ours: Callable[[], Any], rounds: int, device: torch.device
) -> tuple[list[float], list[float]]:
    """Seconds of each, in turns, after one call of each that is not counted."""
    slow, fast = [], []
    for number in range(rounds + 1):
        pair = seconds(naive, device), seconds(ours, device)
        if number:
            slow.append(pair[0])
            fast.append(pair[1])
    return slow, fast


def _compare(unit: str, naive: list[float], ours: list[float]) -> None:
    _line("naive", naive, unit)
    _line("ours", ours, unit)
    _line("ratio", np.divide(ours, naive).tolist(), "")


def _line(name: str, metrics: list[float], unit: str) -> None:
    print(f"  {name:19} {median(metrics):8.2f} {unit:8} ({min(metrics):.2f} to {max(metrics):.2f})", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--frames", type=int, default=GENERATED, help="frames to generate")
    parser.add_argument("--batch", type=int, default=2, help="windows in a training step; paper: 10")
    parser.add_argument("--compile", action="store_true", help="train with torch.compile")
    parser.add_argument("--precision", choices=["auto", "float32", "bfloat16"], default="auto")
    chosen = parser.parse_args()
    device = best_device()
    kind = number_type(device, chosen.precision)
    rates = {dtype: matrix_rate(dtype, device) for dtype in (torch.float32, kind)}
    for dtype, rate in rates.items():
        print(f"matrix product, {str(dtype).removeprefix('torch.')}: {rate / 1e9:.0f} GFLOP/s")
    store = ClipStore(paths.DATA)
    print(f"faces of {store.size} pixels")
    generation(chosen.rounds, chosen.frames, store.size, device, chosen.precision, rates[kind])
    how = {"compile": chosen.compile, "precision": chosen.precision}
    params = VgNetParams(width=64, batch=chosen.batch, frames=16, dropout=0.5, lr=2e-4, **how)
    training(chosen.rounds, params, store, device, rates[kind])


if __name__ == "__main__":
    main()
