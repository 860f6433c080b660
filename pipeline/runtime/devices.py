"""Device, number type and threads of the networks; conversion of pictures."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.runtime.errors import PipelineError
from pipeline.runtime.machine import Precision, cores


def best_device() -> torch.device:
    """The GPU if there is one (in training processes, the process's own), else the CPU.

    Also reduces torch's threads to the cores that this process may use.
    """
    if "OMP_NUM_THREADS" not in os.environ and torch.get_num_threads() > cores():
        torch.set_num_threads(cores())
    if not torch.cuda.is_available():
        return torch.device("cpu")
    torch.set_float32_matmul_precision("high")
    return torch.device("cuda", torch.cuda.current_device())


def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether the hardware multiplies bfloat16 natively, which is faster than float32."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    return device.type == "cpu" and torch.cpu._is_avx512_bf16_supported()


def number_type(device: torch.device, precision: Precision) -> torch.dtype:
    """The number type of products; `auto` is bfloat16 if that is native."""
    narrow = precision == "bfloat16" or (precision == "auto" and multiplies_bfloat16(device))
    return torch.bfloat16 if narrow else torch.float32


SLIM = 32  # networks up to this width train in one thread on CPUs


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def training_threads(width: int) -> AbstractContextManager[None]:
    """Train a slim network in one thread, unless `OMP_NUM_THREADS` is set. Wider networks use all cores.

    Its operations are so short that threads mostly wait for each other: on two cores, a second thread makes an
    undisturbed training 1.5 times as fast, but halves the speed beside other work (docs/training.md). Also, sums in one
    thread do not depend on the number of cores.
    """
    return _threads(1) if width <= SLIM else nullcontext()


def generation_threads(workers: int) -> AbstractContextManager[None]:
    """Use a third of the cores, at least one, beside several busy ``workers``, unless `OMP_NUM_THREADS` is set.

    More threads would wait for the cores of the workers, which doubles the time.
    """
    return _threads(max(1, torch.get_num_threads() // 3)) if workers > 1 else nullcontext()


def autocast(device: torch.device, precision: Precision) -> torch.autocast:
    """The context for a network's forward. In training, parameters, losses and optimisers stay float32."""
    return torch.autocast(device.type, torch.bfloat16, enabled=number_type(device, precision) == torch.bfloat16)


def to_device(network: nn.Module, device: torch.device) -> nn.Module:
    """Move the network to the device, in channels-last layout (1.3 times as fast on CPU and GPU)."""
    moved: nn.Module = network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return moved


def compiled(network: nn.Module) -> nn.Module:
    """The network compiled by `torch.compile`; PipelineError if there is no C++ compiler."""
    usual = "clang++" if sys.platform == "darwin" else "g++"
    if shutil.which(os.environ.get("CXX", usual)) is None:
        advice = "Install g++ (macOS: clang++; CXX names it), or set the network's param compile to false."
        raise PipelineError("torch.compile needs a C++ compiler, and there is none", advice=advice)
    fast: nn.Module = torch.compile(network)  # type: ignore[assignment]
    return fast


def to_floats(pictures: NDArray[np.uint8] | Tensor, device: torch.device) -> Tensor:
    """Convert uint8 pictures (..., H, W, 3) to floats in [-1, 1] (..., 3, H, W) on the device, channels last."""
    moved = torch.as_tensor(pictures).to(device, non_blocking=True)
    return moved.movedim(-1, -3).float() / 127.5 - 1


def to_pictures(floats: Tensor) -> NDArray[np.uint8]:
    """Convert floats in [-1, 1] (..., 3, H, W) to uint8 pictures (..., H, W, 3)."""
    levels = ((floats.detach().float() + 1) * 127.5).round().clamp(0, 255).byte()
    return np.asarray(levels.movedim(-3, -1).cpu().numpy(), np.uint8)
