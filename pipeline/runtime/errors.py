"""The one exception that is meant for the user's eyes."""

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}
"""What a disk says that is full, or read-only, wherever it is written to."""
_EXTRA = ("dvc", "espeakng_loader", "mlflow", "psutil", "requests", "ruamel", "urllib3")
"""Packages of the extra `pipeline` (pyproject.toml): generation and evaluation do without them."""


class PipelineError(Exception):
    """Something the user can fix: the message names the key or file and says what to do.

    Command lines and stages print it without a traceback and end with exit code 1.
    """


@contextmanager
def clear_errors(name: str) -> Iterator[None]:
    """End the process ``name`` with exit code 1 and a message: of a PipelineError, a full disk or a missing package."""
    try:
        yield
    except PipelineError as error:
        print(f"{name}: {error}", file=sys.stderr)
        sys.exit(1)
    except ModuleNotFoundError as error:
        package = (error.name or "").split(".")[0]
        if package not in _EXTRA:
            raise
        advice = (
            "Install it with `pip install 'atvgnet[pipeline]'`, or from a checkout with `pip install '.[pipeline]'`."
        )
        print(f"{name}: this needs the package {package}. {advice}", file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        if error.errno not in _DISK:
            raise
        advice = "Free space or make the disk writable, then run again: what is finished is kept."
        print(f"{name}: {error}. {advice}", file=sys.stderr)
        sys.exit(1)
