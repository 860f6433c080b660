"""The one exception that is meant for the user's eyes."""

import errno
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.runtime.stop import Stopped, stoppable

DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}
"""What a disk says that is full, or read-only, wherever it is written to."""
_PLACE = {errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.ELOOP}
"""What it says of a path that leads nowhere, or where this user may not go."""
_EXTRAS = {
    **dict.fromkeys(("dvc", "espeakng_loader", "mlflow", "psutil", "requests", "ruamel", "urllib3"), "pipeline"),
    **dict.fromkeys(("onnx", "onnxscript"), "onnx"),
    "gradio": "app",
}
"""Packages of extras (pyproject.toml), and of which: generation and evaluation do without them."""


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
        stop = "." if self.subject or advice else ""
        about = f"{self.subject}{self.separator}" if self.subject else ""
        super().__init__(f"{about}{reason}{stop} {advice}".rstrip())

    @property
    def without_subject(self) -> str:
        """Reason and advice, for tables that name the subject in a column of their own."""
        return str(PipelineError(self.reason, advice=self.advice))


def install_command(extra: str) -> str:
    """How to install an extra of pyproject.toml, in words: the project is on no package index, so its name alone does
    not do.
    """
    return (
        f"`pip install '.[{extra}]'` in a clone of the project, or `pip install 'atvgnet[{extra}] @ git+URL'` with the "
        "address of its repository as URL"
    )


@contextmanager
def clear_errors(name: str) -> Iterator[None]:
    """End the process ``name`` with a message where a traceback would tell its user nothing.

    Exit code 1 for a PipelineError, a full disk or a missing package, 128 and the signal's number for one that ended
    it, after all that was open is closed and removed.
    """
    code = 1
    try:
        with stoppable():
            yield
            if sys.stdout:  # which a daemon may have closed
                sys.stdout.flush()  # here, where a full disk that takes the output still gets its message
            return
    except PipelineError as error:
        message = str(error)
    except Stopped as error:
        traceback.clear_frames(error.__traceback__)  # what they hold, such as generators of workers, closes now
        message, code = str(error), 128 + error.signal
    except ModuleNotFoundError as error:
        package = (error.name or "").split(".")[0]
        if package not in _EXTRAS:
            raise
        message = f"this needs the package {package}. Install it with {install_command(_EXTRAS[package])}."
    except OSError as error:
        if error.errno in DISK:
            _forget_output()
            message = f"{error}. Free space or make the disk writable, then run again: what is finished is kept."
        elif error.errno in _PLACE and error.filename:
            message = f"{error}. Fix the path, or its permissions."
        else:
            raise
    if code == 1 or "LOCAL_RANK" not in os.environ:  # of processes that train together, the one that started them tells
        print(f"{name}: {message}", file=sys.stderr)
    sys.exit(code)


def _forget_output() -> None:
    """What the disk does not take of the output is not offered again at the process's end, which would print more."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
