"""Read shards and their index."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.runtime.checkout import or_pull
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath
from pipeline.shards.table import Row, from_cell

INDEX = "index.parquet"
MANIFEST = "manifest.parquet"
"""The index of data/clips."""
FORMAT = b"2"
"""Version of the rows' meaning, in every index; 2 has points in pixels of the crop."""


@lru_cache(maxsize=16)  # an open shard of 256 clips takes 4 MB of memory
def open_shard(path: StrPath) -> pq.ParquetFile:
    """The shard, kept open so that its footer is read once for many rows."""
    return pq.ParquetFile(Path(path), memory_map=True)


def read_row(shard: Path, row: int, columns: Sequence[str]) -> Row:
    """Some cells of a row; arrays are NumPy arrays of their stored shape, JPEG lists are lists of bytes."""
    table = open_shard(shard).read_row_group(row, columns=list(columns), use_threads=False)
    return {field.name: from_cell(table[field.name][0].as_py(), field) for field in table.schema}


class Rows(Mapping[str, Row]):
    """A table of clips as a mapping from id to a dict per clip, in order.

    Dicts are made on demand, because half a million of them would fill a gigabyte.
    """

    def __init__(self, table: pa.Table) -> None:
        """``table`` has a column ``id`` without duplicates."""
        self.schema = table.schema
        self._columns = {name: table[name].combine_chunks() for name in table.column_names}
        self._place = {name: number for number, name in enumerate(table["id"].to_pylist())}

    def __getitem__(self, clip: str) -> Row:
        number = self._place[clip]
        return {name: column[number].as_py() for name, column in self._columns.items()}

    def __iter__(self) -> Iterator[str]:
        return iter(self._place)

    def __len__(self) -> int:
        return len(self._place)

    def rows(self) -> Iterator[Row]:
        """All rows in order, much faster than one by one."""
        for batch in pa.table(self._columns).to_batches(max_chunksize=1024):
            yield from batch.to_pylist()

    def ids(self, **equal: object) -> list[str]:
        """Ids of the clips whose columns have these values, such as ``split="train", status="ok"``."""
        table = pa.table(self._columns)
        for name, value in equal.items():
            table = table.filter(pc.equal(table[name], value))
        ids: list[str] = table["id"].to_pylist()
        return ids


def read_index(folder: StrPath, name: str = INDEX) -> pa.Table:
    """The table of clips that ``write_index`` wrote. Raises PipelineError if it is missing or from another version."""
    path = Path(folder, name)
    if not path.exists():
        raise PipelineError(f"{path} is missing. Run `dvc repro` to make it{or_pull()}.")
    table = pq.read_table(path)
    if (table.schema.metadata or {}).get(b"format") != FORMAT:
        fault = "was written by another version of this project, whose rows mean something else"
        raise PipelineError(fault, subject=folder, advice="Write it again with `dvc repro`.")
    return table


class ShardReader(Rows):
    """A folder's table of clips (index.parquet, or data/clips' manifest.parquet), and access to their shards."""

    def __init__(self, folder: StrPath, index: str = INDEX) -> None:
        """Read the index of ``folder``; raises PipelineError like ``read_index``."""
        self.folder = Path(folder)
        super().__init__(read_index(folder, index))

    def read(self, clip: str, column: str) -> Any:
        """One cell of the clip's row in its shard, as from ``read_row``; only that row group is read."""
        entry = self[clip]
        return read_row(self.folder / entry["shard"], entry["row"], [column])[column]
