"""Files that are there whole or not at all, and what to do when the disk refuses them."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.runtime.errors import PipelineError

# Statistics of every column of every row would make a footer five times as long, which each opening has to read.
PARQUET = {"compression": "zstd", "use_dictionary": False, "write_statistics": False}
"""How parquet is written: bytes depend on the table alone."""


def write_table(path: Path, table: pa.Table) -> None:
    """Write parquet whose bytes depend on the table alone, whole or not at all; PipelineError when that fails."""
    with explained(path.parent), writing(path.parent) as temporary:
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, temporary, **PARQUET)
        temporary.replace(path)


@contextmanager
def writing(folder: Path, mark: str = "") -> Iterator[Path]:
    """A name in ``folder`` for a file until it is whole; what is left under it in the end is removed."""
    temporary = folder / f"{mark or '.'}{uuid4().hex}.tmp"
    try:
        yield temporary
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Make a PipelineError of what the disk refuses."""
    try:
        yield
    except OSError as error:
        raise PipelineError(
            f"{folder} cannot be written: {error}. Free space or fix the folder's permissions, then run again: "
            "finished shards are kept."
        ) from error
