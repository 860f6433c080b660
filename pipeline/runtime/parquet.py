"""Parquet whose bytes depend only on the table."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.runtime.files import explained, replacing
from pipeline.runtime.paths import StrPath

# Statistics of every column of every row would make a footer five times as long, which each opening has to read.
PARQUET = {"compression": "zstd", "use_dictionary": False, "write_statistics": False}
"""Settings for writing parquet whose bytes depend only on the table."""


def write_table(path: StrPath, table: pa.Table) -> None:
    """Write parquet whose bytes depend only on the table, complete or not at all; PipelineError if that fails."""
    path = Path(path)
    with explained(path.parent), replacing(path) as temporary:
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, temporary, **PARQUET)
