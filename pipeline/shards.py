"""Shards: the only code that knows how they are written and read.

A shard is a parquet file with one row, and one row group, a clip, so that one clip is read without the rest. Array
columns are binary cells; the field's metadata holds ``dtype`` and ``shape`` (the first axis free), so a reader needs no
other file::

    table = pyarrow.parquet.read_table("shard.parquet")
    points = numpy.frombuffer(table["points"][0].as_py(), "<f4").reshape(-1, 68, 2)

Every row has an ``id`` and a ``key``, the hash of all its bytes depend on. A rebuilt folder keeps rows whose key
stands, so a killed build goes on where it was and an added clip costs one clip; the bytes equal those of a build from
nothing.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.errors import PipelineError

INDEX = "index.parquet"
UNFINISHED = ""
"""The key of a row that is no final answer, such as that of a clip whose decoder hung: ``compute`` puts it in the row's
``key``, and the next build computes the row again."""
_PREFIX = "shard-"
Row = dict[str, Any]


def array_field(name: str, dtype: str, *shape: int) -> pa.Field:
    """A column of arrays of shape ``(any, *shape)`` stored as little-endian bytes of ``dtype``."""
    stored = np.dtype(dtype).newbyteorder("<")
    sizes = ",".join(str(size) for size in (-1, *shape))
    return pa.field(name, pa.binary(), metadata={"dtype": stored.str, "shape": sizes})


def jpeg_field(name: str) -> pa.Field:
    """A column of lists of JPEG files, one a frame."""
    return pa.field(name, pa.list_(pa.field("element", pa.binary())))  # the name parquet gives list items


def row_key(*parts: object) -> str:
    """The hash of all that a row's bytes depend on: the clip's content, the params, the code's version."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()


@dataclass(frozen=True)
class Item:
    """One clip to be sharded."""

    id: str
    key: str
    """The hash of all that its row depends on."""
    source: Any = None
    """What the row is computed from; goes to a worker process only when it is."""


def write_table(path: Path, table: pa.Table, row_group_size: int | None = None) -> None:
    """Write parquet whose bytes depend on the table alone, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        pq.write_table(table, temporary, compression="zstd", row_group_size=row_group_size, use_dictionary=False)
        temporary.replace(path)
    except OSError as error:
        raise PipelineError(
            f"{path} could not be written: {error}. Free space or mend the folder's rights, then run again: "
            "finished shards are kept."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def build_shards(
    folder: Path,
    items: Sequence[Item],
    compute: Callable[[Any], Row],
    fields: Sequence[pa.Field],
    *,
    per_shard: int,
    jobs: int,
    title: str,
) -> dict[str, Row]:
    """Make the shards of ``items``, in order, ``per_shard`` a shard; compute only rows whose key is not there yet.

    Older shards stay until ``sweep``, so that what an older index names is whole until the new one is written.

    ``compute(source)`` gives the row's columns without ``id`` and ``key`` and must be picklable (it runs in worker
    processes). Returns every row's cells that are neither arrays nor JPEG lists, with its ``shard`` and ``row``, by id.
    Raises PipelineError when the folder cannot be written.
    """
    import joblib
    from rich.progress import Progress

    schema = pa.schema([pa.field("id", pa.string()), pa.field("key", pa.string()), *fields])
    plans = [list(items[start : start + per_shard]) for start in range(0, len(items), per_shard)]
    names = [_shard_name(number, plan) for number, plan in enumerate(plans)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PipelineError(f"{folder} could not be made: {error}. Mend the rights of the folder above it.") from error
    known, unfinished = _known_rows(folder, schema)
    finished = {path.name for path in folder.glob(f"{_PREFIX}*.parquet")} - unfinished
    missing = [(name, plan) for name, plan in zip(names, plans, strict=True) if name not in finished]
    work = (
        joblib.delayed(_build_one)(folder / name, plan, compute, schema, _known_of(plan, known))
        for name, plan in missing
    )
    with Progress(transient=True) as progress:
        task = progress.add_task(title, total=len(items))
        progress.advance(task, len(items) - sum(len(plan) for _, plan in missing))
        for count in joblib.Parallel(n_jobs=jobs, return_as="generator_unordered")(work):
            progress.advance(task, count)
    _open.cache_clear()
    return _small_cells(folder, names, schema)


def sweep(folder: Path, wanted: Iterable[str]) -> None:
    """Remove the shards that are not ``wanted`` (by file name), and what a killed run left half written."""
    keep = set(wanted)
    for path in folder.iterdir():
        if (path.name.startswith(_PREFIX) and path.name not in keep) or path.suffix == ".tmp":
            path.unlink()


def _shard_name(number: int, plan: Sequence[Item]) -> str:
    content = hashlib.sha256("".join(f"{item.id}\0{item.key}\n" for item in plan).encode()).hexdigest()
    return f"{_PREFIX}{number:05d}-{content[:12]}.parquet"


def _known_rows(folder: Path, schema: pa.Schema) -> tuple[dict[tuple[str, str], tuple[Path, int]], set[str]]:
    """Rows that are already there, by (id, key), and the names of shards in which one is unfinished; shards of another
    layout count as not there.
    """
    found: dict[tuple[str, str], tuple[Path, int]] = {}
    unfinished: set[str] = set()
    for path in sorted(folder.glob(f"{_PREFIX}*.parquet")):
        try:
            if _layout(pq.read_schema(path)) != _layout(schema):
                path.unlink()
                continue
            table = pq.read_table(path, columns=["id", "key"], use_threads=False)
        except (pa.ArrowInvalid, OSError):  # torn by something other than us: made anew
            path.unlink()
            continue
        for row, pair in enumerate(zip(table["id"].to_pylist(), table["key"].to_pylist(), strict=True)):
            if pair[1] == UNFINISHED:
                unfinished.add(path.name)
            else:
                found[pair] = (path, row)
    return found, unfinished


def _layout(schema: pa.Schema) -> list[tuple[str, str, str]]:
    """What makes two shards alike; schemas themselves differ, since parquet adds metadata of its own when it reads."""
    return [
        (one.name, str(one.type), _meta(one, "dtype") + _meta(one, "shape") if _is_array(one) else "") for one in schema
    ]


def _known_of(plan: Sequence[Item], known: Mapping[tuple[str, str], tuple[Path, int]]) -> dict[str, tuple[Path, int]]:
    return {item.id: known[item.id, item.key] for item in plan if (item.id, item.key) in known}


def _build_one(
    path: Path,
    plan: Sequence[Item],
    compute: Callable[[Any], Row],
    schema: pa.Schema,
    known: Mapping[str, tuple[Path, int]],
) -> int:
    _open.cache_clear()  # a shard with an unfinished row comes back under its name with other bytes
    parts: list[pa.Table] = []
    for item in plan:
        if item.id in known:
            source, row = known[item.id]
            parts.append(_open(source).read_row_group(row, use_threads=False))
        else:
            cells = {"id": item.id, "key": item.key, **compute(item.source)}
            parts.append(
                pa.table({field.name: [_to_cell(cells[field.name], field)] for field in schema}, schema=schema)
            )
    write_table(path, pa.concat_tables(parts), row_group_size=1)
    return len(plan)


def _to_cell(value: Any, field: pa.Field) -> Any:
    if not _is_array(field):
        return value
    return np.ascontiguousarray(value, dtype=_meta(field, "dtype")).tobytes()


def _is_array(field: pa.Field) -> bool:
    return bool(field.metadata) and b"shape" in field.metadata


def _meta(field: pa.Field, name: str) -> str:
    return str(field.metadata[name.encode()].decode())


def _small_cells(folder: Path, names: Sequence[str], schema: pa.Schema) -> dict[str, Row]:
    columns = [field.name for field in schema if not _is_array(field) and not pa.types.is_list(field.type)]
    cells: dict[str, Row] = {}
    for name in names:
        for number, row in enumerate(pq.read_table(folder / name, columns=columns, use_threads=False).to_pylist()):
            cells[row["id"]] = {**row, "shard": name, "row": number}
    return cells


@lru_cache(maxsize=64)
def _open(path: Path) -> pq.ParquetFile:
    return pq.ParquetFile(path, memory_map=True)


def read_row(shard: Path, row: int, columns: Sequence[str]) -> Row:
    """One row's cells: arrays as NumPy arrays of their stored shape, JPEG lists as lists of bytes."""
    table = _open(shard).read_row_group(row, columns=list(columns), use_threads=False)
    return {field.name: _from_cell(table[field.name][0].as_py(), field) for field in table.schema}


class ShardReader:
    """Random access to the rows of a folder of shards by clip id; reads one row group, never a whole shard.

    ``index`` is the folder's table of clips (index.parquet, or data/clips' manifest.parquet) as one dict a clip, by id,
    in order.
    """

    def __init__(self, folder: Path, index: str = INDEX) -> None:
        """Read the index of ``folder``; PipelineError when it is not there."""
        self.folder = folder
        path = folder / index
        if not path.exists():
            raise PipelineError(f"{path} is missing. Run `dvc repro` to make it, or `dvc pull` to fetch it.")
        self.index: dict[str, Row] = {row["id"]: row for row in pq.read_table(path).to_pylist()}

    def ids(self, **equal: object) -> list[str]:
        """Ids of clips whose index columns have the given values, for example ``split="train", status="ok"``."""
        return [name for name, row in self.index.items() if all(row[key] == value for key, value in equal.items())]

    def read(self, clip: str, columns: Sequence[str]) -> Row:
        """The clip's cells in these columns, as ``read_row`` gives them."""
        return read_row(*self.place(clip), columns)

    def place(self, clip: str) -> tuple[Path, int]:
        """The clip's shard and its row there, for ``read_row``."""
        entry = self.index[clip]
        return self.folder / entry["shard"], entry["row"]

    def array(self, clip: str, column: str) -> NDArray[Any]:
        """One array column of one clip."""
        value = self.read(clip, [column])[column]
        assert isinstance(value, np.ndarray)
        return value

    def __iter__(self) -> Iterator[str]:
        """All clip ids, in order."""
        return iter(self.index)


def _from_cell(value: Any, field: pa.Field) -> Any:
    if not _is_array(field):
        return value
    shape = [int(size) for size in _meta(field, "shape").split(",")]
    return np.frombuffer(value, dtype=_meta(field, "dtype")).reshape(shape)


def write_index(folder: Path, rows: Iterable[Row], schema: pa.Schema, name: str = INDEX) -> None:
    """Write the folder's table of clips (``id``, ``shard``, ``row``, ...) and sweep shards it does not name."""
    table = pa.Table.from_pylist(list(rows), schema=schema)
    write_table(folder / name, table)
    sweep(folder, table["shard"].to_pylist())
