"""The error that is meant for the user, and how a program ends with it."""

import errno
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.runtime.signals import Stopped, stoppable

DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}
"""Error numbers of a disk that is full or read-only."""
_PATH = {errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.ELOOP}
"""Error numbers of a wrong path or missing permissions."""
_EXTRAS = {
    **dict.fromkeys(
        ("dvc", "espeakng_loader", "mlflow", "pocketsphinx", "psutil", "requests", "ruamel", "urllib3"), "pipeline"
    ),
    **dict.fromkeys(("onnx", "onnxscript"), "onnx"),
    "gradio": "app",
}
"""Packages that generation and evaluation do not need, and the extra in pyproject.toml that installs each."""


class PipelineError(Exception):
    """An error that the user can fix. Command lines and stages print it without a traceback and exit with 1.

    The message is made of its parts, so that callers need not edit the text:

        PipelineError("is missing", subject=path, advice="Run `dvc repro mfcc`.")  # PATH is missing. Run `dvc ...
        PipelineError("PATH is missing. Run `dvc repro mfcc`.")                    # the whole message as the reason

    Args:
        reason: What is wrong. Without ``subject`` and ``advice`` it is the whole message.
        subject: What the reason is about, such as a path or a parameter's key. Comes first in the message.
        advice: What to do, as sentences. Comes last in the message.
    """

    separator = " "
    """Between subject and reason."""

    def __init__(self, reason: str, *, subject: object = "", advice: str = "") -> None:
        self.reason, self.subject, self.advice = reason, str(subject), advice
        self.without_subject = f"{reason}{'.' if self.subject or advice else ''} {advice}".rstrip()
        """Reason and advice, for tables that name the subject in a column of their own."""
        super().__init__(
            f"{self.subject}{self.separator}{self.without_subject}" if self.subject else self.without_subject
        )


def install_command(extra: str) -> str:
    """Instructions to install an extra of pyproject.toml. The project is on no package index."""
    return (
        f"`pip install '.[{extra}]'` in a clone of the project, or `pip install 'atvgnet[{extra}] @ git+URL'` with the "
        "address of its repository as URL"
    )


@contextmanager
def clear_errors(name: str) -> Iterator[None]:
    """End the process ``name`` with a message instead of a traceback, for errors that the user can fix.

    The exit code is 1 for a PipelineError, a full disk and a missing package, and 128 + the signal's number for a
    signal. Open files and generators are closed first.
    """
    code = 1
    try:
        with stoppable():
            yield
            if sys.stdout:  # a daemon may have closed it
                sys.stdout.flush()  # so that a full disk raises here
            return
    except PipelineError as error:
        message = str(error)
    except Stopped as error:
        traceback.clear_frames(error.__traceback__)  # closes what the frames hold, such as generators of workers
        message, code = str(error), 128 + error.signal
    except ModuleNotFoundError as error:
        package = (error.name or "").split(".")[0]
        if package not in _EXTRAS:
            raise
        message = f"this needs the package {package}. Install it with {install_command(_EXTRAS[package])}."
    except OSError as error:
        if error.errno in DISK:
            _discard_output()
            message = f"{error}. Free space or make the disk writable, then run again: what is finished is kept."
        elif error.errno in _PATH and error.filename:
            message = f"{error}. Fix the path, or its permissions."
        else:
            raise
    if code == 1 or "LOCAL_RANK" not in os.environ:  # on a signal only the parent of training processes prints
        print(f"{name}: {message}", file=sys.stderr)
    sys.exit(code)


def _discard_output() -> None:
    """Drop buffered output that the disk refuses, so that Python does not report it once more at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
