"""Run commands in forks of a process that has imported what they need.

A program of the project spends two to eight seconds on imports. A fork has its own process number, memory, folder,
environment, output and exit code, as a program has. It imports the project's modules from the command's folder. Tests
of signals, pipes and worker processes start programs.
"""

import atexit
import ctypes
import logging
import multiprocessing
import os
import runpy
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

ROOT = Path(__file__).parents[1]
OWN = ("pipeline", "stages", "tests", "docs")
"""Packages that each fork imports again, because a copy of the project may have changed them."""


def is_forkable(words: Sequence[str]) -> bool:
    """Whether `run_forked` can run the command: DVC, ``atvgnet`` or this Python."""
    return sys.platform == "linux" and (words[0] in ("dvc", "atvgnet") or _is_python(words))


def run_forked(
    words: Sequence[str], folder: Path, environment: Mapping[str, str], apart: bool = False
) -> "subprocess.CompletedProcess[str]":
    """Run a command in a folder. Standard error is part of ``stdout``, or ``apart``."""
    context = multiprocessing.get_context("forkserver")
    with tempfile.TemporaryDirectory() as temporary:
        outputs = [Path(temporary, name) for name in ("stdout", "stderr" if apart else "stdout")]
        process = context.Process(target=_start, args=(list(words), str(folder), dict(environment), outputs))
        process.start()
        assert process.pid
        try:
            process.join()
        finally:
            if process.exitcode is None:
                os.killpg(process.pid, signal.SIGKILL)
        assert process.exitcode is not None
        stdout, stderr = (path.read_text(errors="replace") for path in outputs)
        return subprocess.CompletedProcess(words, process.exitcode, stdout, stderr if apart else "")


def forget_logging() -> None:
    """Undo what MLflow's import does: a handler with the standard error of that time, and no warnings."""
    logging.root.handlers.clear()
    logging.root.setLevel(logging.WARNING)


def _is_python(words: Sequence[str]) -> bool:
    names = ("python", "python3", sys.executable)
    return words[0] in names and len(words) > 1 and (words[1] in ("-m", "-c") or words[1].endswith(".py"))


def _start(words: list[str], folder: str, environment: dict[str, str], outputs: list[Path]) -> NoReturn:
    os.setsid()
    for stream, path in zip((1, 2), outputs, strict=True):
        os.dup2(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT), stream)
    _become(words, folder, environment)


def _become(words: Sequence[str], folder: str, environment: Mapping[str, str]) -> NoReturn:
    """Run the command in this process, and end the process with its exit code."""
    code = 1
    atexit._clear()
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.stdout, sys.stderr = (open(stream, "w", buffering=1, closefd=False) for stream in (1, 2))  # noqa: SIM115
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        _set_command_line(words)
        forget_logging()
        _forget_the_projects_modules()
        _execute(words, environment)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    finally:
        threading._shutdown()  # type: ignore[attr-defined]  # waits for threads, as the interpreter does at its end
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _execute(words: Sequence[str], environment: Mapping[str, str]) -> None:
    """Run the program as the interpreter does."""
    program = words[1:] if _is_python(words) else words
    path = [one for one in environment.get("PYTHONPATH", "").split(os.pathsep) if one]
    sys.path[:] = [*path, *(one for one in sys.path if one not in ("", str(ROOT)))]
    if program[0] not in ("dvc", "atvgnet"):
        sys.path.insert(0, "" if program[0] == "-c" else os.getcwd())
    sys.path.append(str(ROOT))
    sys.argv = [*program[1:]] if program[0] == "-m" else [*program]
    if sys.argv[0] == "dvc":
        _run_dvc()
    elif program[0] == "atvgnet":
        from pipeline.cli import app

        app()
    elif program[0] == "-m":
        runpy.run_module(program[1], run_name="__main__", alter_sys=True)
    elif program[0] == "-c":
        sys.argv = ["-c", *program[2:]]
        main = sys.modules["__main__"] = ModuleType("__main__")
        exec(compile(program[1], "<string>", "exec"), main.__dict__)
    else:
        runpy.run_path(program[0], run_name="__main__")


def _run_dvc() -> NoReturn:
    """Run DVC's command line; it forks stages too."""
    from dvc.cli import main
    from dvc.stage import run
    from dvc.stage.exceptions import StageCmdFailedError

    start_program = run._run

    def start(executable: Any, command: str, **options: Any) -> None:
        words = shlex.split(command)
        if not is_forkable(words) or set(words) & {"&&", "||", "|", ";"}:
            start_program(executable, command, **options)
            return
        sys.stdout.flush()
        process = os.fork()
        if not process:
            _become(words, options["cwd"], options["env"])
        _, status = os.waitpid(process, 0)
        if code := os.waitstatus_to_exitcode(status):
            raise StageCmdFailedError(command, code)

    run._run = start
    sys.exit(main(sys.argv[1:]))


def _set_command_line(words: Sequence[str]) -> None:
    """Set the command line of this process. The tracking recognises DVC by it."""
    places = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    begin, end = (int(places[number - 3]) for number in (48, 49))  # as proc(5) numbers them
    line = "\0".join(words).encode()[: end - begin - 1]
    ctypes.memmove(begin, line.ljust(end - begin, b"\0"), end - begin)


def _forget_the_projects_modules() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in OWN and name != __name__]:
        del sys.modules[name]
