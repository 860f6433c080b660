"""Files that are there whole or not at all, and what to do when the disk refuses them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath


@contextmanager
def writing(folder: StrPath, mark: str = "") -> Iterator[Path]:
    """A name in ``folder`` for a file until it is whole; what is left under it in the end is removed."""
    folder = Path(folder)
    temporary = folder / f"{mark or '.'}{uuid4().hex}.tmp"
    try:
        yield temporary
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def replacing(path: StrPath) -> Iterator[Path]:
    """A name for a file that takes the place of ``path`` when the block ends well; else nothing of it is left."""
    path = Path(path)
    with writing(path.parent) as temporary:
        yield temporary
        temporary.replace(path)


def lies_in(path: StrPath, folder: StrPath) -> bool:
    """Whether ``path`` is ``folder`` or in it, by whatever name: through links, hard ones too, relative, or in another
    case where the file system does not tell cases apart. What does not exist is nowhere.
    """
    if not os.path.exists(folder):
        return False
    places = (path, *(Path(path).resolve().parents if os.path.isdir(folder) else ()))
    return any(os.path.samefile(place, folder) for place in places if os.path.exists(place))


def refuse_input(output: StrPath, *inputs: StrPath) -> None:
    """PipelineError when ``output`` is one of the ``inputs``, or lies in one that is a folder."""
    for given in inputs:
        if lies_in(output, given):
            place = "lies in" if Path(given).is_dir() else "is"
            raise PipelineError(f"The output {output} {place} the input {given}. Give the output another place.")


def check_output(path: Path, suffix: str, overwrite: bool, *inputs: StrPath) -> None:
    """PipelineError where a file of that ``suffix`` would take the place of something, or has another suffix."""
    if path.suffix.lower() != suffix:
        raise PipelineError(f"{path} is not a {suffix} file. Give the output a name that ends in {suffix}.")
    if path.is_dir():
        raise PipelineError(f"{path} is a folder. Give the output a name that is not taken.")
    refuse_input(path, *inputs)
    if path.exists() and not overwrite:
        raise PipelineError(f"{path} is there already. Give the output another name, or --overwrite.")
    check_writable(path)


def check_writable(path: Path) -> None:
    """PipelineError where no file of that name could be made, nor the folders that it lies in."""
    folder = next(one for one in path.absolute().parents if os.path.lexists(one))
    if not folder.is_dir():
        raise PipelineError(f"{path} cannot be written: {folder} is not a folder. Give the output another place.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PipelineError(
            f"{path} cannot be written: this user may not write into {folder}. Fix its permissions, or give the output "
            "another place."
        )


def check_new(folder: StrPath) -> None:
    """PipelineError where a ``folder`` that is to be made is there, or cannot be made."""
    folder = Path(folder)
    if os.path.lexists(folder):
        raise PipelineError(f"{folder} is there already. Give a folder that is not.")
    check_writable(folder)


@contextmanager
def explained(folder: StrPath) -> Iterator[None]:
    """Make a PipelineError of what the disk refuses."""
    folder = Path(folder)
    try:
        yield
    except OSError as error:
        raise PipelineError(
            f"{folder} cannot be written: {error}. Free space or fix the folder's permissions, then run again: "
            "finished shards are kept."
        ) from error
