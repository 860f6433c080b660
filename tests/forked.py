"""Run the command line in processes that start with all imports done.

A new Python process spends about five seconds on importing torch and other packages. A process that is forked from
one with these imports is as real: it has signals, pipes, an exit code and a working directory of its own.
"""

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing import reduction
from multiprocessing.process import BaseProcess
from pathlib import Path
from subprocess import CompletedProcess
from typing import IO, Any

from tests.commands import forget_logging

_CONTEXT = multiprocessing.get_context("forkserver")


@dataclass
class Program:
    """A running `atvgnet`."""

    process: BaseProcess
    out: IO[bytes]
    errors: IO[bytes]

    def finished(self) -> CompletedProcess[str]:
        """Wait until the program ends, and return its exit code and output."""
        self.process.join()
        assert self.process.exitcode is not None
        self.out.seek(0)
        self.errors.seek(0)
        return CompletedProcess("atvgnet", self.process.exitcode, self.out.read().decode(), self.errors.read().decode())


@contextmanager
def started(
    folder: Path,
    *arguments: str,
    stdin: int | None = None,
    stdout: int | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Program]:
    """Start `atvgnet` in ``folder``, and kill it at the end if it still runs.

    Args:
        folder: working directory
        arguments: words of the command
        stdin: an open file as standard input; empty by default
        stdout: an open file as standard output; kept for `Program.finished` by default
        environment: changes to the environment variables
    """
    with ExitStack() as files:
        nothing = files.enter_context(open(os.devnull, "rb"))
        out, errors = (files.enter_context(tempfile.TemporaryFile()) for _ in range(2))
        streams = (
            _Descriptor(nothing.fileno() if stdin is None else stdin),
            _Descriptor(out.fileno() if stdout is None else stdout),
            _Descriptor(errors.fileno()),
        )
        variables = {**os.environ, **(environment or {})}
        process = _CONTEXT.Process(target=_atvgnet, args=(str(folder), arguments, streams, variables))
        process.start()
        try:
            yield Program(process, out, errors)
        finally:
            process.kill()
            process.join()


def run(
    folder: Path,
    *arguments: str,
    stdin: int | None = None,
    stdout: int | None = None,
    environment: Mapping[str, str] | None = None,
) -> CompletedProcess[str]:
    """Run `atvgnet` to its end; see `started`."""
    with started(folder, *arguments, stdin=stdin, stdout=stdout, environment=environment) as program:
        return program.finished()


class _Descriptor:
    """An open file of this process, which the other process receives under a number of its own."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __reduce__(self) -> tuple[Any, ...]:
        return _received, (reduction.DupFd(self.number),)


def _received(sent: Any) -> int:
    return int(sent.detach())


def _atvgnet(folder: str, arguments: list[str], streams: tuple[int, int, int], variables: Mapping[str, str]) -> None:
    """Become the program."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin = sys.__stdin__ = open(0, closefd=False)  # type: ignore[misc]  # noqa: SIM115
    sys.stdout = sys.__stdout__ = open(1, "w", closefd=False)  # type: ignore[misc]  # noqa: SIM115
    sys.stderr = sys.__stderr__ = open(2, "w", buffering=1, closefd=False)  # type: ignore[misc]  # noqa: SIM115
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    tempfile.tempdir = None  # TMPDIR may differ from that of the first process
    sys.argv = ["atvgnet", *arguments]
    forget_logging()
    from pipeline.cli import app

    app()
