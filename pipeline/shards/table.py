"""How rows stand in a parquet file."""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.runtime.files import PARQUET, explained, writing
from pipeline.runtime.paths import StrPath
from pipeline.shards.plan import shard_name

Row = dict[str, Any]
_CELLS, _LAYOUT = (
    b"cells",
    b"layout",
)  # in a shard's footer, as JSON: small cells by column; types of all


def array_field(name: str, dtype: str, *shape: int) -> pa.Field:
    """A column of arrays of shape ``(any, *shape)`` stored as little-endian bytes of ``dtype``."""
    stored = np.dtype(dtype).newbyteorder("<")
    sizes = ",".join(str(size) for size in (-1, *shape))
    return pa.field(name, pa.binary(), metadata={"dtype": stored.str, "shape": sizes})


def jpeg_field(name: str) -> pa.Field:
    """A column of lists of JPEG files, one per frame."""
    return pa.field(name, pa.list_(pa.field("element", pa.binary())))  # the name parquet gives list items


def to_table(row: Mapping[str, Any], schema: pa.Schema) -> pa.Table:
    """One row as a table; arrays become bytes."""
    return pa.table({field.name: [_to_cell(row[field.name], field)] for field in schema}, schema=schema)


def from_cell(value: Any, field: pa.Field) -> Any:
    """What ``to_table`` was given: arrays as NumPy arrays of their stored shape."""
    if not _is_array(field):
        return value
    dtype, shape = _array(field)
    return np.frombuffer(value, dtype=dtype).reshape([int(size) for size in shape.split(",")])


def _to_cell(value: Any, field: pa.Field) -> Any:
    if not _is_array(field):
        return value
    return np.ascontiguousarray(value, dtype=_array(field)[0]).tobytes()


def _is_array(field: pa.Field) -> bool:
    return bool(field.metadata) and b"shape" in field.metadata


def _array(field: pa.Field) -> tuple[str, str]:
    return field.metadata[b"dtype"].decode(), field.metadata[b"shape"].decode()


def small(schema: pa.Schema) -> pa.Schema:
    """The columns that are neither arrays nor lists."""
    return pa.schema([one for one in schema if not _is_array(one) and not pa.types.is_list(one.type)])


def write_shard(folder: StrPath, rows: Iterable[pa.Table], schema: pa.Schema, mark: str = "") -> tuple[str, pa.Table]:
    """Write ``rows`` (of ``schema``, which has id and key) as they come, so that memory holds one of them at a time.

    The file has a name that begins with ``mark`` until it is whole. Returns the name it has then, and the small cells,
    which stand once more in the footer, where a reader finds those of all rows at once. Raises what drawing a row
    raises, and PipelineError when ``folder`` cannot be written; then nothing is left of the shard.
    """
    folder = Path(folder)
    parts = []
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
            with suppress(OSError, pa.ArrowException):  # told already
                writer.close()
    return name, cells


def read_cells(path: StrPath, schema: pa.Schema) -> pa.Table | None:
    """The small cells of a shard's rows; None where the file is torn or no shard of this ``schema``."""
    path = Path(path)
    try:
        footer = pq.read_metadata(path).metadata or {}
    except (pa.ArrowInvalid, OSError):
        return None
    if footer.get(_LAYOUT) != _layout(schema).encode():
        return None
    return pa.table(json.loads(footer[_CELLS]), schema=small(schema))


def _layout(schema: pa.Schema) -> str:
    return json.dumps([[one.name, str(one.type), *(_array(one) if _is_array(one) else [])] for one in schema])
