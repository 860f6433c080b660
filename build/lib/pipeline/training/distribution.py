"""Training on several processes, one per GPU, which torchrun starts on one machine or on several.

Each takes an equal share of every batch; gradients (DistributedDataParallel), batch statistics, dropout, losses and the
generators of random numbers are those of the whole batch. So their number is not a param: it changes nothing but the
order in which numbers are added. The first process alone reads checkpoints, validates, listens and writes.
"""

import logging
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import torch
from torch import Tensor, distributed

from pipeline.runtime.errors import PipelineError

T = TypeVar("T")


@contextmanager
def joined() -> Iterator[None]:
    """Within it, this process trains together with the others that torchrun started; without torchrun, alone.

    Raises PipelineError when this machine has fewer GPUs than processes, and when another process is out of reach.
    """
    if not distributed.is_torchelastic_launched():
        yield
        return
    if torch.cuda.is_available():
        place, gpus = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
        if place >= gpus:
            raise PipelineError(
                f"{socket.gethostname()} has {gpus} GPUs, and each takes one process. Start torchrun there with "
                f"--nproc-per-node={gpus}."
            )
        torch.cuda.set_device(place)
    try:
        distributed.init_process_group()
        if not is_first():
            logging.getLogger("pipeline").setLevel(logging.ERROR)  # the first process speaks for all
        yield
    except PipelineError as error:
        raise error if is_first() else PipelineError(f"process {rank()}: {error}") from error
    except RuntimeError as error:
        if isinstance(error, distributed.DistError) or "gloo" in str(error).lower():  # which has no class of its own
            raise PipelineError(
                "Another process of the training is gone, or out of reach; its own message, or torchrun's below, says "
                "why. Start the same command again: it goes on after the last checkpoint."
            ) from error
        raise
    distributed.destroy_process_group()  # not after an error: the others may wait for this process


def world() -> int:
    """Processes that train together."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def rank() -> int:
    """This process's number among them, from 0."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def is_first() -> bool:
    """Whether this is the one process that validates, listens and writes."""
    return rank() == 0


def require_equal_shares(network: str, batch: int) -> None:
    """Raises PipelineError when the processes cannot share a batch evenly: means would no longer be the batch's."""
    if batch % world():
        fitting = ", ".join(str(count) for count in range(1, batch + 1) if batch % count == 0)
        raise PipelineError(
            f"{network}.batch is {batch}, which {world()} processes cannot share evenly. Start as many as can "
            f"({fitting}), or make {network}.batch a multiple of {world()}."
        )


def require_same(mark: str) -> None:
    """Raises PipelineError, in every process, when `mark`, the hash of params and data, differs among them."""
    marks = _gather((mark, socket.gethostname()))
    for number, (other, host) in enumerate(marks):
        if other != marks[0][0]:
            raise PipelineError(
                f"Process {number} on {host} has other params or other data than process 0 on {marks[0][1]}. Copy the "
                "project's folder, with its data and params, to every machine."
            )


def own_share(rows: Sequence[T]) -> Sequence[T]:
    """This process's piece of a batch: the processes' pieces, in their order, are the batch."""
    size = len(rows) // world()
    return rows[rank() * size : (rank() + 1) * size]


def mean(values: Tensor) -> Tensor:
    """The mean of all processes' `values`, in each of them; may change `values`."""
    if world() > 1:
        distributed.all_reduce(values)
        values /= world()
    return values


def on_first(function: Callable[[], T]) -> T:
    """What `function` answers in the first process, which alone calls it, in all of them."""
    answer = [function()] if is_first() else [None]
    if world() > 1:
        distributed.broadcast_object_list(answer)
    return answer[0]  # type: ignore[return-value]  # it is the first process's by now


def _gather(value: T) -> list[T]:
    values = [value] * world()
    if world() > 1:
        distributed.all_gather_object(values, value)
    return values
