"""Build a folder of shards on all cores or a cluster; unchanged rows are kept, and an interrupted build continues."""

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.runtime import workers
from pipeline.runtime.files import explained, writing
from pipeline.runtime.parquet import write_table
from pipeline.runtime.paths import StrPath
from pipeline.runtime.progress import progress
from pipeline.shards.plan import PREFIX, Item, cut, shard_name
from pipeline.shards.read import FORMAT, INDEX, Rows, open_shard
from pipeline.shards.table import Row, read_cells, small, to_table, write_shard

_BATCH = 10_000  # rows of an index that are converted at a time
_Place = tuple[Path, int]
_Piece = tuple[Item, _Place | None]  # a clip, and its row in an earlier shard


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
    """Write the shards of ``items`` into ``folder``, ``per_shard`` on average; only rows with a new key are computed.

    ``compute`` makes a row of ``fields`` from an item's source. It is pickled for worker processes, which may run on
    other machines, so paths in sources must be absolute; ``shared_paths`` are some of them, which these machines check.
    Older shards stay until ``write_index``, so that an older index remains valid until the new one is written.

    Returns, by id, the cells that are neither arrays nor JPEG lists, with ``shard`` and ``row``. Raises PipelineError
    if the folder cannot be written, or a worker failed (``workers.run``); finished shards are kept.
    """
    folder = Path(folder).absolute()
    schema = pa.schema([pa.field("id", pa.string()), pa.field("key", pa.string()), *fields])
    plans = {shard_name((item.id, item.key) for item in plan): plan for plan in cut(items, per_shard)}
    with _working_in(folder) as mark, progress(title, len(items)) as advance:
        existing = {path.name for path in folder.glob(f"{PREFIX}*.parquet")}
        built: dict[str, tuple[str, pa.Table]] = {}  # by planned name; unfinished rows change the name
        for name, cells in _read_all(folder, [name for name in plans if name in existing], schema, jobs):
            built[name] = name, cells
            advance(len(cells))
        missing = {name: plan for name, plan in plans.items() if name not in built}
        known = _known_rows(folder, existing - built.keys(), missing.values(), schema, jobs)
        build = partial(_build_one, mark, compute=compute, schema=schema)
        tasks: Iterator[workers.Task] = ((build, (name, _pieces(plan, known)), {}) for name, plan in missing.items())
        with closing(workers.run(tasks, jobs, shared_paths=[mark, *shared_paths])) as shards:
            for name, written, cells in shards:
                built[name] = written, cells
                advance(len(cells))
    place = pa.schema([pa.field("shard", pa.string()), pa.field("row", pa.int32())])
    parts = [pa.schema([*small(schema), *place]).empty_table()]
    for written, cells in (built[name] for name in plans):
        rows = pa.array(range(len(cells)), pa.int32())
        parts.append(cells.append_column("shard", pa.repeat(written, len(cells))).append_column("row", rows))
    return Rows(pa.concat_tables(parts).drop_columns(["key"]))


@contextmanager
def _working_in(folder: Path) -> Iterator[Path]:
    """Make ``folder`` and a temporary file in it, by which workers check that they see the same folder.

    The names of unfinished files begin with its name. Unfinished files of earlier, killed builds are removed first;
    those of killed workers are removed in the end.
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
    """The small cells of the shards that are complete and have this schema."""
    with ThreadPoolExecutor(jobs) as pool:
        for name, cells in pool.map(lambda name: (name, read_cells(folder / name, schema)), names):
            if cells is not None:
                yield name, cells


def _known_rows(
    folder: Path, names: Iterable[str], plans: Iterable[Sequence[Item]], schema: pa.Schema, jobs: int
) -> dict[str, _Place]:
    """The places of these plans' rows in the shards ``names`` of an earlier plan."""
    keys = {item.id: item.key for plan in plans for item in plan}
    if not keys:
        return {}
    known: dict[str, _Place] = {}
    for name, cells in _read_all(folder, names, schema, jobs):
        pairs = zip(cells["id"].to_pylist(), cells["key"].to_pylist(), strict=True)
        known |= {clip: (folder / name, row) for row, (clip, key) in enumerate(pairs) if keys.get(clip) == key}
    return known


def _pieces(plan: Sequence[Item], known: Mapping[str, _Place]) -> list[_Piece]:
    return [(Item(item.id, item.key), known[item.id]) if item.id in known else (item, None) for item in plan]


def _build_one(
    mark: Path, name: str, pieces: Sequence[_Piece], *, compute: Callable[[Any], Row], schema: pa.Schema
) -> tuple[str, str, pa.Table]:
    """Make one shard in a worker process. Returns its planned name, its actual name and its small cells."""
    if (cells := read_cells(mark.with_name(name), schema)) is not None:  # if a cluster repeats a task
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
            # PyAV's containers hold some 40 MB of an HD video each and have reference cycles, so only the garbage
            # collector frees them. It skips frozen objects.
            gc.collect()


def write_index(folder: StrPath, rows: Iterable[Row], schema: pa.Schema, name: str = INDEX) -> None:
    """Write the folder's table of clips (``id``, ``shard``, ``row``, ...) and remove shards that it does not name."""
    folder, source = Path(folder), iter(rows)
    batches = [schema.empty_table()]
    while batch := list(islice(source, _BATCH)):
        batches.append(pa.Table.from_pylist(batch, schema=schema))
    table = pa.concat_tables(batches).combine_chunks().replace_schema_metadata({"format": FORMAT})
    write_table(folder / name, table)
    keep = set(table["shard"].to_pylist())
    for path in folder.glob(f"{PREFIX}*.parquet"):
        if path.name not in keep:
            path.unlink()
