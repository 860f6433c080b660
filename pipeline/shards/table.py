"""The rows of a shard in a parquet file."""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.runtime.files import explained, writing
from pipeline.runtime.parquet import PARQUET
from pipeline.runtime.paths import StrPath
from pipeline.shards.plan import shard_name

Row = dict[str, Any]
_CELLS, _LAYOUT = b"cells", b"layout"  # JSON in a shard's footer: small cells by column; types of all columns


def array_field(name: str, dtype: str, *shape: int) -> pa.Field:
    """A column of arrays of shape ``(any, *shape)``, stored as little-endian ``dtype``."""
    stored = np.dtype(dtype).newbyteorder("<")
    sizes = ",".join(str(size) for size in (-1, *shape))
    return pa.field(name, pa.binary(), metadata={"dtype": stored.str, "shape": sizes})


def jpeg_field(name: str) -> pa.Field:
    """A column of lists of JPEG files, one per frame."""
    return pa.field(name, pa.list_(pa.field("element", pa.binary())))  # the name parquet gives list items


def to_table(row: Mapping[str, Any], schema: pa.Schema) -> pa.Table:
    """One row as a table, with arrays as bytes."""
    return pa.table({field.name: [_to_cell(row[field.name], field)] for field in schema}, schema=schema)


def from_cell(value: Any, field: pa.Field) -> Any:
    """The value that ``to_table`` stored; arrays are NumPy arrays of their stored shape."""
    if not (array := _array(field)):
        return value
    dtype, shape = array
    return np.frombuffer(value, dtype=dtype).reshape([int(size) for size in shape.split(",")])


def _to_cell(value: Any, field: pa.Field) -> Any:
    array = _array(field)
    return np.ascontiguousarray(value, dtype=array[0]).tobytes() if array else value


def _array(field: pa.Field) -> list[str]:
    """The type and the shape of a column's arrays; empty for other columns."""
    return [field.metadata[key].decode() for key in (b"dtype", b"shape") if field.metadata and key in field.metadata]


def small(schema: pa.Schema) -> pa.Schema:
    """The columns that are neither arrays nor lists."""
    return pa.schema([field for field in schema if not _array(field) and not pa.types.is_list(field.type)])


def write_shard(folder: StrPath, rows: Iterable[pa.Table], schema: pa.Schema, mark: str = "") -> tuple[str, pa.Table]:
    """Write a shard row by row, so that memory holds one row at a time; errors of ``rows`` leave no shard behind.

    The ``schema`` has id and key. The file's name begins with ``mark`` until the shard is complete. Returns the shard's
    name, and the small cells. They are also in the footer, so a reader gets those of all rows at once. Raises
    PipelineError if ``folder`` cannot be written.
    """
    folder, parts = Path(folder), []
    with writing(folder, mark) as temporary:
        with explained(folder):
            writer = pq.ParquetWriter(temporary, schema, **PARQUET)
        try:
            for row in rows:
                parts.append(row.select(small(schema).names))
                with explained(folder):
                    writer.write_table(row)
            cells = pa.concat_tables(parts).combine_chunks()
            columns = cells.to_pydict()
            name = shard_name(zip(columns["id"], columns["key"], strict=True))
            with explained(folder):
                writer.add_key_value_metadata({_CELLS: json.dumps(columns), _LAYOUT: _layout(schema)})
                writer.close()
                temporary.replace(folder / name)
        finally:
            with suppress(OSError, pa.ArrowException):  # the first error is raised
                writer.close()
    return name, cells


def read_cells(path: StrPath, schema: pa.Schema) -> pa.Table | None:
    """The small cells of a shard; None if the file is damaged or has another schema."""
    try:
        footer = pq.read_metadata(Path(path)).metadata or {}
    except (pa.ArrowInvalid, OSError):
        return None
    if footer.get(_LAYOUT) != _layout(schema).encode():
        return None
    return pa.table(json.loads(footer[_CELLS]), schema=small(schema))


def _layout(schema: pa.Schema) -> str:
    return json.dumps([[field.name, str(field.type), *_array(field)] for field in schema])
