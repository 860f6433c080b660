"""Training in several processes, one per GPU, which torchrun starts on one or several machines.

Each process takes an equal share of every batch. Gradients (DistributedDataParallel), batch statistics, dropout, losses
and random generators are those of the whole batch, so the number of processes changes only the order of summation. Only
the first process reads checkpoints, validates, reports and writes.
"""

import logging
import os
import signal
import socket
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from pipeline.runtime.errors import PipelineError
from pipeline.runtime.signals import Stopped

T = TypeVar("T")


def launch(module: str, processes: int) -> None:
    """Run `torchrun --standalone --nproc-per-node=PROCESSES -m MODULE`; returns if all processes succeed.

    Ends this process if one fails, after that process has printed its error. Raises PipelineError if one was killed.
    """
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.run import main

    try:
        main(["--standalone", f"--nproc-per-node={processes}", "-m", module])
    except SignalException as error:  # torchrun has its own signal handlers
        raise Stopped(error.sigval) from error
    except ChildFailedError as error:
        for number, failure in error.failures.items():
            if failure.exitcode < 0 and failure.exitcode != -signal.SIGTERM:  # torchrun sends SIGTERM to the others
                name = signal.Signals(-failure.exitcode).name
                raise PipelineError(
                    f"Process {number} of {processes} was killed ({name}), most likely because memory ran out. Start "
                    "again: the training goes on after its last checkpoint."
                ) from error
        sys.exit(1)


@contextmanager
def joined() -> Iterator[None]:
    """Join the other processes that torchrun started; without torchrun, train alone.

    Raises PipelineError if this machine has fewer GPUs than processes, or if another process cannot be reached.
    """
    if not distributed.is_torchelastic_launched():
        yield
        return
    if gpus := torch.cuda.device_count():
        place = int(os.environ["LOCAL_RANK"])
        if place >= gpus:
            raise PipelineError(
                f"{socket.gethostname()} has {gpus} GPUs, and each takes one process. Start torchrun there with "
                f"--nproc-per-node={gpus}."
            )
        torch.cuda.set_device(place)
    try:
        distributed.init_process_group()
        if not is_first():
            logging.getLogger("pipeline").setLevel(logging.ERROR)  # only the first process reports
        yield
    except PipelineError as error:
        raise error if is_first() else PipelineError(f"process {rank()}: {error}") from error
    except RuntimeError as error:
        if isinstance(error, distributed.DistError) or "gloo" in str(error).lower():  # gloo's errors have no class
            raise PipelineError(
                "Another process of the training is gone, or out of reach; its own message, or torchrun's below, says "
                "why. Start the same command again: it goes on after the last checkpoint."
            ) from error
        raise
    distributed.destroy_process_group()  # not after an error: the others may wait for this process


def world() -> int:
    """Number of processes that train together."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def rank() -> int:
    """Number of this process, from 0."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def is_first() -> bool:
    """Whether this is the process that validates, reports and writes."""
    return rank() == 0


def require_equal_shares(network: str, batch: int) -> None:
    """Raise PipelineError if the processes cannot share a batch evenly: means over shares would not be the batch's."""
    if batch % world():
        fitting = ", ".join(str(count) for count in range(1, batch + 1) if batch % count == 0)
        raise PipelineError(
            f"{network}.batch is {batch}, which {world()} processes cannot share evenly. Start as many as can "
            f"({fitting}), or make {network}.batch a multiple of {world()}."
        )


def require_same(identity: str) -> None:
    """Raise PipelineError, in every process, if `identity`, the hash of params and data, differs among them."""
    own = (identity, socket.gethostname())
    all_ = [own] * world()
    if world() > 1:
        distributed.all_gather_object(all_, own)
    for number, (other, host) in enumerate(all_):
        if other != all_[0][0]:
            raise PipelineError(
                f"Process {number} on {host} has other params or other data than process 0 on {all_[0][1]}. Copy the "
                "project's folder, with its data and params, to every machine."
            )


def own_share(rows: Sequence[T]) -> Sequence[T]:
    """This process's part of a batch; the parts of all processes, in order, are the batch."""
    size = len(rows) // world()
    return rows[rank() * size : (rank() + 1) * size]


def mean(values: Tensor) -> Tensor:
    """The mean of `values` over all processes; may change `values`."""
    if world() > 1:
        distributed.all_reduce(values)
        values /= world()
    return values


def on_first(function: Callable[[], T]) -> T:
    """Call `function` in the first process only; returns its result in all processes."""
    answer = [function()] if is_first() else [None]
    if world() > 1:
        distributed.broadcast_object_list(answer)
    return answer[0]  # type: ignore[return-value]  # the broadcast has replaced the None


def parallel(network: nn.Module, *, unused: bool = False) -> nn.Module:
    """Make `network` train on the shares of all processes; returns the module to call in training.

    Its dropout and batch normalisation layers are replaced; parameters and their names stay. With `unused`, a step may
    leave some parameters without a gradient.
    """
    if world() > 1 and next(network.parameters()).device.type == "cuda":
        nn.SyncBatchNorm.convert_sync_batchnorm(network)
    for parent in list(network.modules()):
        for name, layer in parent.named_children():
            if isinstance(layer, nn.Dropout):
                setattr(parent, name, BatchDropout(layer.p))
            elif isinstance(layer, nn.BatchNorm2d) and world() > 1:
                setattr(parent, name, CpuSyncBatchNorm(layer))
    if world() == 1:
        return network
    with warnings.catch_warnings(action="ignore", category=FutureWarning):  # torch 2.13 calls it forward_sync_buffers
        return DistributedDataParallel(network, broadcast_buffers=False, find_unused_parameters=unused)


class CpuSyncBatchNorm(nn.BatchNorm2d):
    """SyncBatchNorm for CPUs (torch's own is for GPUs only), for shares (N, C, H, W) of equal size."""

    def __init__(self, layer: nn.BatchNorm2d) -> None:
        """Share the parameters and statistics of `layer`."""
        super().__init__(layer.num_features, layer.eps, layer.momentum)
        self._parameters, self._buffers = layer._parameters, layer._buffers
        self.training = layer.training

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Normalise by the statistics of the whole batch; keeps shape and type."""
        if not self.training:
            return super().forward(x_NCHW)
        assert self.momentum is not None
        x, axes = x_NCHW.to(torch.promote_types(x_NCHW.dtype, torch.float32)), (0, 2, 3)
        mean_C: Tensor = _Mean.apply(x.mean(axes))  # type: ignore[no-untyped-call]
        centred = x - mean_C[:, None, None]
        variance_C: Tensor = _Mean.apply(centred.square().mean(axes))  # type: ignore[no-untyped-call]
        count = world() * x.numel() // len(mean_C)
        with torch.no_grad():
            self.get_buffer("running_mean").lerp_(mean_C, self.momentum)
            self.get_buffer("running_var").lerp_(variance_C * (count / (count - 1)), self.momentum)
            self.get_buffer("num_batches_tracked").add_(1)
        scale_C = self.weight * torch.rsqrt(variance_C + self.eps)
        return (centred * scale_C[:, None, None] + self.bias[:, None, None]).type_as(x_NCHW)


class _Mean(torch.autograd.Function):
    """The mean over the processes; each gets the mean of all processes' gradients."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        return mean(values.clone())

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        return _Mean.apply(gradient)  # type: ignore[no-untyped-call]


class BatchDropout(nn.Dropout):
    """Dropout that draws for the whole batch in every process, so that all random generators stay equal."""

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Drop out elements of a share (N, C, H, W)."""
        if not self.training or self.p == 0:
            return x_NCHW
        channels_last = x_NCHW.is_contiguous(memory_format=torch.channels_last)
        layout = torch.channels_last if channels_last else torch.contiguous_format
        shape = world() * len(x_NCHW), *x_NCHW.shape[1:]
        whole_NCHW = torch.empty(shape, dtype=x_NCHW.dtype, device=x_NCHW.device, memory_format=layout)
        kept_NCHW = whole_NCHW.bernoulli_(1 - self.p).div_(1 - self.p)
        return x_NCHW * kept_NCHW.chunk(world())[rank()]
