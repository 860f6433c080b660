"""Starts a module in several processes of this machine that train together."""

import signal
import sys

from pipeline.runtime.errors import PipelineError
from pipeline.runtime.stop import Stopped


def launch(module: str, processes: int) -> None:
    """`torchrun --standalone --nproc-per-node=PROCESSES -m MODULE`, which returns when all is well.

    Else it ends this process as the one that failed ended, which has said why; and PipelineError when one was killed.
    """
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.run import main

    try:
        main(["--standalone", f"--nproc-per-node={processes}", "-m", module])
    except SignalException as error:  # torchrun has its own handlers
        raise Stopped(error.sigval) from error
    except ChildFailedError as error:
        for number, failure in error.failures.items():
            if failure.exitcode < 0 and failure.exitcode != -signal.SIGTERM:  # which torchrun itself sends the others
                name = signal.Signals(-failure.exitcode).name
                raise PipelineError(
                    f"Process {number} of {processes} was killed ({name}), most likely because memory ran out. Start "
                    "again: the training goes on after its last checkpoint."
                ) from error
        sys.exit(1)
