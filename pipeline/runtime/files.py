"""Writing files completely or not at all, checks of output paths, and text of any encoding."""

import codecs
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath

_ENCODINGS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins with the mark of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@contextmanager
def writing(folder: StrPath, mark: str = "") -> Iterator[Path]:
    """A temporary name in ``folder``, for a file that the block writes and renames; removed if it is left over."""
    temporary = Path(folder) / f"{mark or '.'}{uuid4().hex}.tmp"
    try:
        yield temporary
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def replacing(path: StrPath) -> Iterator[Path]:
    """A temporary name for a file that replaces ``path`` if the block succeeds, and is removed if it fails."""
    path = Path(path)
    with writing(path.parent) as temporary:
        yield temporary
        temporary.replace(path)


def link_target(path: StrPath) -> Path:
    """The file that a symbolic link points to, or else ``path``. Outputs named by the user keep their links."""
    path = Path(path)
    return real_path(path) if path.is_symlink() else path


def real_path(path: StrPath) -> Path:
    """The absolute path without links. `Path.resolve` raises RuntimeError for a link to itself before Python 3.13."""
    return Path(os.path.realpath(path))


def decode(data: bytes, errors: str = "strict") -> str:
    """Decode text: UTF-8, or what a byte order mark says (Windows programs write UTF-16 and UTF-8 with a mark).

    Raises UnicodeDecodeError unless ``errors``, as in `bytes.decode`, says otherwise.
    """
    encoding = next((name for mark, name in _ENCODINGS if data.startswith(mark)), "utf-8")
    return data.decode(encoding, errors)


def lies_in(path: StrPath, folder: StrPath) -> bool:
    """Whether ``path`` is ``folder`` or in it, by whatever name: links, hard links, relative paths, or other case on a
    file system that ignores case. False for paths that do not exist.
    """
    if not os.path.exists(folder):
        return False
    places = (path, *(real_path(path).parents if os.path.isdir(folder) else ()))
    return any(os.path.samefile(place, folder) for place in places if os.path.exists(place))


def refuse_input(output: StrPath, *inputs: StrPath) -> None:
    """Raise PipelineError if ``output`` is one of the ``inputs``, or in one that is a folder."""
    for path in inputs:
        if lies_in(output, path):
            relation = "lies in" if Path(path).is_dir() else "is"
            raise PipelineError(f"The output {output} {relation} the input {path}. Give the output another place.")


def check_output(path: Path, suffix: str, overwrite: bool, *inputs: StrPath) -> None:
    """Raise PipelineError if the file ``path`` has not the ``suffix``, would replace something, or cannot be made."""
    if path.suffix.lower() != suffix:
        raise PipelineError(f"{path} is not a {suffix} file. Give the output a name that ends in {suffix}.")
    if path.is_dir():
        raise PipelineError(f"{path} is a folder. Give the output a name that is not taken.")
    refuse_input(path, *inputs)
    if path.exists() and not overwrite:
        raise PipelineError(f"{path} is there already. Give the output another name, or --overwrite.")
    check_writable(link_target(path))


def check_writable(path: Path) -> None:
    """Raise PipelineError if the file or folder ``path``, or a missing parent of it, cannot be made."""
    folder = next(parent for parent in path.absolute().parents if os.path.lexists(parent))
    if not folder.is_dir():
        raise PipelineError(f"{path} cannot be written: {folder} is not a folder. Give the output another place.")
    if not os.access(folder, os.W_OK | os.X_OK):
        advice = "Fix its permissions, or give the output another place."
        raise PipelineError(f"{path} cannot be written: this user may not write into {folder}", advice=advice)


def check_new(folder: StrPath) -> None:
    """Raise PipelineError if ``folder`` exists or cannot be made."""
    if os.path.lexists(folder):
        raise PipelineError(f"{Path(folder)} is there already. Give a folder that is not.")
    check_writable(Path(folder))


@contextmanager
def explained(folder: StrPath) -> Iterator[None]:
    """Raise a PipelineError that names ``folder`` instead of an OSError."""
    try:
        yield
    except OSError as error:
        advice = "Free space or fix the folder's permissions, then run again: finished shards are kept."
        raise PipelineError(f"{Path(folder)} cannot be written: {error}", advice=advice) from error
