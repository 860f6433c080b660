"""What the networks run on: a GPU where there is one, and bfloat16 where the hardware multiplies it natively."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.runtime.errors import PipelineError
from pipeline.runtime.machine import Precision, cores


def best_device() -> torch.device:
    """The GPU when there is one (this process's own, where several train together), else the CPU.

    torch counts the machine's cores; its threads are made no more than those that the process may use.
    """
    if "OMP_NUM_THREADS" not in os.environ and torch.get_num_threads() > cores():
        torch.set_num_threads(cores())
    if not torch.cuda.is_available():
        return torch.device("cpu")
    torch.set_float32_matmul_precision("high")
    return torch.device("cuda", torch.cuda.current_device())


def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 products are native, and so faster than float32."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    return device.type == "cpu" and torch.cpu._is_avx512_bf16_supported()


def number_type(device: torch.device, precision: Precision) -> torch.dtype:
    """What is multiplied: `auto` is bfloat16 where that is native."""
    narrow = precision == "bfloat16" or (precision == "auto" and multiplies_bfloat16(device))
    return torch.bfloat16 if narrow else torch.float32


SLIM = 32
"""Networks up to this width train in one thread on a CPU."""


@contextmanager
def training_threads(width: int) -> Iterator[None]:
    """One thread for the arithmetic of a slim network's training, where `OMP_NUM_THREADS` does not say otherwise.

    Its operations are so short that threads mostly wait for each other: on two cores a second one makes a training 1.5
    times as fast where nothing else runs, and half as fast or slower beside other work (docs/training.md). Sums in one
    thread also come out the same whatever the number of cores. Wider networks, and generation by itself, use all cores.
    """
    before = torch.get_num_threads()
    if width <= SLIM and "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def generation_threads(workers: int) -> Iterator[None]:
    """A third of the cores for the arithmetic of networks, at least one, beside so many busy ``workers``, where
    `OMP_NUM_THREADS` does not say otherwise: more would wait for cores that measure, which takes twice as long.
    """
    before = torch.get_num_threads()
    if workers > 1 and "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, before // 3))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def autocast(device: torch.device, precision: Precision) -> torch.autocast:
    """The context in which a network's forward runs; parameters in training, losses and optimisers stay float32."""
    return torch.autocast(device.type, torch.bfloat16, enabled=number_type(device, precision) == torch.bfloat16)


def to_device(network: nn.Module, device: torch.device) -> nn.Module:
    """The network on the device, its convolutions laid out channels last (1.3 times as fast on CPU and GPU alike)."""
    moved: nn.Module = network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return moved


def compiled(network: nn.Module) -> nn.Module:
    """The network through `torch.compile`; PipelineError where the C++ compiler is missing that this takes."""
    usual = "clang++" if sys.platform == "darwin" else "g++"
    if shutil.which(os.environ.get("CXX", usual)) is None:
        raise PipelineError(
            "torch.compile needs a C++ compiler, and there is none. Install g++ (macOS: clang++; CXX names it), or set "
            "the network's param compile to false."
        )
    fast: nn.Module = torch.compile(network)  # type: ignore[assignment]
    return fast


def to_floats(pictures: NDArray[np.uint8] | Tensor, device: torch.device) -> Tensor:
    """uint8 pictures (..., H, W, 3) as floats in [-1, 1] (..., 3, H, W) on the device, channels last in memory."""
    moved = torch.as_tensor(pictures).to(device, non_blocking=True)
    return moved.movedim(-1, -3).float() / 127.5 - 1


def to_pictures(floats: Tensor) -> NDArray[np.uint8]:
    """Floats in [-1, 1] (..., 3, H, W) as uint8 pictures (..., H, W, 3)."""
    levels: NDArray[np.uint8] = (
        ((floats.detach().float() + 1) * 127.5).round().clamp(0, 255).byte().movedim(-3, -1).cpu().numpy()
    )
    return levels
