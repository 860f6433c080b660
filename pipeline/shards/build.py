"""Making a folder of shards: only what is not there yet, on all cores or a cluster, going on after any interruption."""

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.runtime import workers as parallel
from pipeline.runtime.files import explained, write_table, writing
from pipeline.runtime.paths import StrPath
from pipeline.runtime.progress import progress
from pipeline.shards.plan import PREFIX, Item, cut, shard_name
from pipeline.shards.read import FORMAT, INDEX, Rows, open_shard
from pipeline.shards.table import Row, read_cells, small, to_table, write_shard

_BATCH = 10_000  # rows of an index put into a table at a time
_Place = tuple[Path, int]
_Piece = tuple[Item, _Place | None]  # a clip, and the row of an earlier shard that it has already


def build_shards(
    folder: StrPath,
    items: Sequence[Item],
    compute: Callable[[Any], Row],
    fields: Sequence[pa.Field],
    *,
    per_shard: int,
    jobs: int,
    title: str,
    shared_paths: Sequence[Path] = (),
) -> Rows:
    """Make the shards of ``items``, in order, ``per_shard`` per shard on average; compute only rows whose key is new.

    Older shards stay until ``sweep``, so that what an older index names is whole until the new one is written.

    ``compute(source)`` gives the row's columns without ``id`` and ``key`` and must be picklable. It runs in worker
    processes, which may be on other machines: paths in sources must be absolute, and ``sees`` are some of them, by
    which a worker knows that it is on the same disk. Returns every row's cells that are neither arrays nor JPEG lists,
    with its ``shard`` and ``row``. Raises PipelineError when the folder cannot be written, and what ``parallel.run``
    raises; finished shards are kept.
    """
    folder = Path(folder)
    schema = pa.schema([pa.field("id", pa.string()), pa.field("key", pa.string()), *fields])
    folder = folder.absolute()
    plans = {shard_name((item.id, item.key) for item in plan): plan for plan in cut(items, per_shard)}
    with _workplace(folder) as mark, progress(title, len(items)) as advance:
        there = {path.name for path in folder.glob(f"{PREFIX}*.parquet")}
        built: dict[str, tuple[str, pa.Table]] = {}  # by the name it was to have: one with unfinished rows has another
        for name, cells in _read_all(folder, [name for name in plans if name in there], schema, jobs):
            built[name] = name, cells
            advance(len(cells))
        missing = {name: plan for name, plan in plans.items() if name not in built}
        known = _known_rows(folder, there - built.keys(), missing.values(), schema, jobs)
        build = partial(_build_one, mark, compute=compute, schema=schema)
        tasks: Iterator[parallel.Task] = (
            (build, (name, [_piece(item, known) for item in plan]), {}) for name, plan in missing.items()
        )
        with closing(parallel.run(tasks, jobs, shared_paths=[mark, *shared_paths])) as shards:
            for name, written, cells in shards:
                built[name] = written, cells
                advance(len(cells))
    return Rows(_joined([built[name] for name in plans], schema))


@contextmanager
def _workplace(folder: Path) -> Iterator[Path]:
    """Make ``folder``, and for the time of the work a file in it by which workers know that they see the same folder.

    Files that are being written are named after it. Those of earlier builds go first: whoever wrote them was killed, or
    has lost the process it worked for. In the end its own go, which workers that were killed left.
    """
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.glob(".*.tmp"):
            path.unlink(missing_ok=True)
    with writing(folder) as mark:
        with explained(folder):
            mark.touch()
        try:
            yield mark
        finally:
            for path in folder.glob(f"{mark.stem}*.tmp"):
                path.unlink(missing_ok=True)


def _read_all(folder: Path, names: Iterable[str], schema: pa.Schema, jobs: int) -> Iterator[tuple[str, pa.Table]]:
    """The small cells of those shards that are whole and of this layout."""
    with ThreadPoolExecutor(jobs) as pool:
        for name, cells in pool.map(lambda name: (name, read_cells(folder / name, schema)), names):
            if cells is not None:
                yield name, cells


def _known_rows(
    folder: Path, names: Iterable[str], plans: Iterable[Sequence[Item]], schema: pa.Schema, jobs: int
) -> dict[str, _Place]:
    """Where the shards ``names``, of an earlier plan, have rows of these plans."""
    keys = {item.id: item.key for plan in plans for item in plan}
    if not keys:
        return {}
    known: dict[str, _Place] = {}
    for name, cells in _read_all(folder, names, schema, jobs):
        pairs = zip(cells["id"].to_pylist(), cells["key"].to_pylist(), strict=True)
        known |= {clip: (folder / name, row) for row, (clip, key) in enumerate(pairs) if keys.get(clip) == key}
    return known


def _piece(item: Item, known: Mapping[str, _Place]) -> _Piece:
    place = known.get(item.id)
    return (item, None) if place is None else (Item(item.id, item.key), place)


def _build_one(
    mark: Path,
    name: str,
    pieces: Sequence[_Piece],
    *,
    compute: Callable[[Any], Row],
    schema: pa.Schema,
) -> tuple[str, str, pa.Table]:
    """Make one shard in a worker process; its name, the name it got, and its small cells."""
    cells = read_cells(mark.with_name(name), schema)  # there when a cluster does a piece of work again
    if cells is not None:
        return name, name, cells
    gc.freeze()
    try:
        return name, *write_shard(mark.parent, _rows(pieces, compute, schema), schema, mark.stem)
    finally:
        gc.unfreeze()


def _rows(pieces: Sequence[_Piece], compute: Callable[[Any], Row], schema: pa.Schema) -> Iterator[pa.Table]:
    for item, place in pieces:
        if place:
            shard, row = place
            yield open_shard(shard).read_row_group(row, use_threads=False)
        else:
            yield to_table({"id": item.id, "key": item.key, **compute(item.source)}, schema)
            # PyAV's containers refer to themselves, so that nothing but the garbage collector frees them, and it does
            # not know that each holds some 40 MB of an HD video. What is frozen it need not go through.
            gc.collect()


def _joined(built: Sequence[tuple[str, pa.Table]], schema: pa.Schema) -> pa.Table:
    """The small cells of all shards without their keys, and where each row is."""
    place = pa.schema([pa.field("shard", pa.string()), pa.field("row", pa.int32())])
    parts = [pa.schema([*small(schema), *place]).empty_table()]
    for name, cells in built:
        rows = pa.array(range(len(cells)), pa.int32())
        parts.append(cells.append_column("shard", pa.repeat(name, len(cells))).append_column("row", rows))
    return pa.concat_tables(parts).drop_columns(["key"])


def write_index(folder: StrPath, rows: Iterable[Row], schema: pa.Schema, name: str = INDEX) -> None:
    """Write the folder's table of clips (``id``, ``shard``, ``row``, ...) and sweep shards it does not name."""
    folder = Path(folder)
    source = iter(rows)
    batches = [schema.empty_table()]
    while batch := list(islice(source, _BATCH)):
        batches.append(pa.Table.from_pylist(batch, schema=schema))
    table = pa.concat_tables(batches).combine_chunks().replace_schema_metadata({"format": FORMAT})
    write_table(folder / name, table)
    sweep(folder, table["shard"].to_pylist())


def sweep(folder: StrPath, wanted: Iterable[str]) -> None:
    """Remove the shards that are not ``wanted`` (by file name)."""
    folder = Path(folder)
    keep = set(wanted)
    for path in folder.glob(f"{PREFIX}*.parquet"):
        if path.name not in keep:
            path.unlink()
