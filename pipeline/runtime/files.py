"""Files that are there whole or not at all, and what to do when the disk refuses them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath

# Statistics of every column of every row would make a footer five times as long, which each opening has to read.
PARQUET = {"compression": "zstd", "use_dictionary": False, "write_statistics": False}
"""How parquet is written: bytes depend on the table alone."""


def write_table(path: StrPath, table: pa.Table) -> None:
    """Write parquet whose bytes depend on the table alone, whole or not at all; PipelineError when that fails."""
    path = Path(path)
    with explained(path.parent), replacing(path) as temporary:
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, temporary, **PARQUET)


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
