"""Networks that train on a batch of which every process has a share, as one process would on the whole of it.

The layers below take the place of torch's own by the class alone: tensors, their names and settings stay as they are.
"""

import warnings
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from pipeline.training.distribution import rank, world


def parallel(network: nn.Module, *, unused: bool = False) -> nn.Module:
    """Make `network` train on the shares of all processes; returns what to call in its place when it trains.

    Alone, a process gets the network itself. `unused` says that a step may leave some of its parameters without a
    gradient.
    """
    if world() > 1 and next(network.parameters()).device.type == "cuda":
        nn.SyncBatchNorm.convert_sync_batchnorm(network)
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.__class__ = BatchDropout
        elif isinstance(module, nn.BatchNorm2d) and world() > 1:
            module.__class__ = CpuSyncBatchNorm
    if world() == 1:
        return network
    with warnings.catch_warnings(action="ignore", category=FutureWarning):  # torch 2.13 calls it forward_sync_buffers
        return DistributedDataParallel(network, broadcast_buffers=False, find_unused_parameters=unused)


class CpuSyncBatchNorm(nn.BatchNorm2d):
    """What SyncBatchNorm, which torch has for GPUs alone, computes of shares (N, C, H, W) of equal size."""

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Same shape and type out as in."""
        if not self.training:
            return super().forward(x_NCHW)
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        x, axes = x_NCHW.to(torch.promote_types(x_NCHW.dtype, torch.float32)), (0, 2, 3)
        mean_C = _mean(x.mean(axes))
        centred = x - mean_C[:, None, None]
        variance_C = _mean(centred.square().mean(axes))
        count = world() * x.numel() // len(mean_C)
        with torch.no_grad():
            self.running_mean.lerp_(mean_C, self.momentum)
            self.running_var.lerp_(variance_C * (count / (count - 1)), self.momentum)
            self.num_batches_tracked += 1
        scale_C = self.weight * torch.rsqrt(variance_C + self.eps)
        return (centred * scale_C[:, None, None] + self.bias[:, None, None]).type_as(x_NCHW)


def _mean(values: Tensor) -> Tensor:
    total: Tensor = _Sum.apply(values)  # type: ignore[no-untyped-call]
    return total / world()


class _Sum(torch.autograd.Function):
    """The sum over the processes; what flows back to each is the sum of their gradients."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        total = values.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        return _Sum.apply(gradient)  # type: ignore[no-untyped-call]


class BatchDropout(nn.Dropout):
    """Dropout that draws for the whole batch in every process, and uses the part that is the share's.

    So all processes' generators of random numbers stay the same as each other and as that of a process alone.
    """

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Same shape out as in, which is a share (N, C, H, W)."""
        if not self.training or self.p == 0:
            return x_NCHW
        channels_last = x_NCHW.is_contiguous(memory_format=torch.channels_last)
        whole_NCHW = torch.empty(
            (world() * len(x_NCHW), *x_NCHW.shape[1:]),
            dtype=x_NCHW.dtype,
            device=x_NCHW.device,
            memory_format=torch.channels_last if channels_last else torch.contiguous_format,
        )
        kept_NCHW = whole_NCHW.bernoulli_(1 - self.p).div_(1 - self.p)
        return x_NCHW * kept_NCHW.chunk(world())[rank()]
