"""Many videos from one table, a few at a time, with a table of what came of them."""

import csv
import logging
import math
import textwrap
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.config.params import WhichFace
from pipeline.inference.settings import Settings, parse_face
from pipeline.runtime.clock import FPS
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import check_writable, replacing
from pipeline.runtime.table import Row, Table, read_table

if TYPE_CHECKING:  # a table is checked before the networks' libraries are loaded
    from pipeline.inference.talking_head import TalkingHead

log = logging.getLogger(__name__)
FILES = ("picture", "speech", "out")
"""The columns that every table has; paths are relative to its folder."""
OUTCOME = ("state", "message", "frames", "seconds", "times_real_time")
"""What the table of results adds to them: done or failed, why, what was generated, and how fast."""


_TRUE, _FALSE = ("true", "yes", "1", "1.0", "1,0"), ("false", "no", "0", "0.0", "0,0")


def _yes(text: str) -> bool:
    if (word := text.lower()) not in (*_TRUE, *_FALSE):
        raise ValueError(f"{text!r} is neither true nor false")
    return word in _TRUE


def _number(text: str) -> float:
    """A number as spreadsheets write it, also with a decimal comma."""
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{text!r} is not a number")
    return number


def _whole(text: str) -> int:
    """A whole number; pandas writes 1.0 for 1 in a column that has empty cells."""
    if text.isdecimal():
        return int(text)
    number = _number(text)
    if not number.is_integer():
        raise ValueError(f"{text!r} is not a whole number")
    return int(number)


def _face(text: str) -> WhichFace:
    """A rule, or a number as `_whole` reads it."""
    try:
        text = str(_whole(text))
    except ValueError:
        text = text.lower()
    return parse_face(text)


OPTIONS: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "face": ("face", _face),
    "strength": ("strength", _number),
    "blink": ("blink", _yes),
    "head": ("sway", _yes),
    "crop": ("crop", _yes),
    "panels": ("panels", _yes),
    "seed": ("seed", _whole),
}
"""Columns that a table may have, named as the command's options: the setting that each is, and how it is read. An empty
cell is as the command says."""


@dataclass(frozen=True)
class Outcome:
    """How a row ended; the fields are those of `OUTCOME`."""

    state: str
    message: str = ""
    frames: int = 0
    seconds: float = 0.0
    times_real_time: float = 0.0


class _GivenUp(Exception):
    """Another row's thread was told to end."""


def results_of(table: Path) -> Path:
    """Where the results of a table are written: beside it."""
    return table.with_name(f"{table.stem}.results.csv")


def check_table(table: Path) -> None:
    """PipelineError where the table cannot be read, lacks a column, or its results cannot be written beside it."""
    _read(table)
    check_writable(results_of(table))


def generate_batch(
    head: "TalkingHead",
    table: Path,
    jobs: int = 1,
    settings: Settings | None = None,
    *,
    overwrite: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Outcome]:
    """Generate a video for each row of the CSV ``table``, ``jobs`` at a time, and write `results_of` after each.

    Rows that an earlier call finished, and whose video is there, are not generated again without ``overwrite``; a row
    that fails does not stop the others. ``on_progress`` is called with the rows that are done, and all.
    Returns an outcome per row. Raises PipelineError where the table cannot be read or lacks a column.
    """
    import torch

    found = _read(table)
    rows = found.rows
    outcomes: list[Outcome | None] = [None] * len(rows) if overwrite else _before(rows, table)
    for number, fault in found.faults.items():
        outcomes[number] = Outcome("failed", fault)
    _write(rows, outcomes, table)  # which fails before anything is generated, if it does
    stop, threads = threading.Event(), max(1, torch.get_num_threads() // jobs)

    def work(number: int) -> Outcome:
        torch.set_num_threads(threads)  # of this thread's own work
        return _one(head, rows[number], table.parent, settings or Settings(), overwrite, stop)

    with ThreadPoolExecutor(jobs) as pool:
        open_rows = {pool.submit(work, number): number for number in range(len(rows)) if outcomes[number] is None}
        try:
            if on_progress:
                on_progress(len(rows) - len(open_rows), len(rows))
            for done, future in enumerate(as_completed(open_rows), len(rows) - len(open_rows) + 1):
                outcomes[open_rows[future]] = future.result()
                _write(rows, outcomes, table)
                if on_progress:
                    on_progress(done, len(rows))
        except BaseException:  # a signal: rows that have begun end with their next frame, and leave nothing
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    _write(rows, outcomes, table)
    return [one for one in outcomes if one is not None]


def _one(
    head: "TalkingHead", row: Row, folder: Path, settings: Settings, overwrite: bool, stop: threading.Event
) -> Outcome:
    def go_on(done: int, total: int | None) -> None:
        if stop.is_set():
            raise _GivenUp

    from pipeline.inference.generate import generate

    begun = time.perf_counter()
    try:
        picture, speech, out = (folder / _file(row, name) for name in FILES)
        own = _settings(row, settings)
        frames = generate(head, picture, speech, out, own, overwrite=overwrite, on_progress=go_on).frames
    except _GivenUp:
        raise
    except (PipelineError, OSError) as error:
        return Outcome("failed", str(error))
    except Exception as error:  # whatever it is, the other rows go on
        log.exception("%s", row)
        return Outcome("failed", f"{type(error).__name__}: {error}")
    seconds = time.perf_counter() - begun
    return Outcome("done", "", frames, round(seconds, 2), round(frames / FPS / seconds, 2))


def _file(row: Row, column: str) -> str:
    if row[column] in ("", "-"):  # the command's own name for a pipe
        raise PipelineError(f"The column {column} names no file. Fill it in.")
    return row[column]


def _settings(row: Row, usual: Settings) -> Settings:
    own = {}
    for column, (name, read) in OPTIONS.items():
        if text := row.get(column, ""):
            try:
                own[name] = read(text)
            except ValueError as error:
                raise PipelineError(f"The column {column} is wrong: {error}.") from error
    return replace(usual, **own)


def _read(table: Path) -> Table:
    try:
        found = read_table(table, (*FILES, *OPTIONS))
    except FileNotFoundError:
        raise PipelineError(f"{table} does not exist. Give --batch a CSV with {', '.join(FILES)}.") from None
    except OSError as error:
        raise PipelineError(f"{table} cannot be read ({error.strerror}). Give another.") from error
    columns = textwrap.shorten(", ".join(found.columns) or "none", 200, placeholder=" ...")
    if missing := [name for name in FILES if name not in found.columns]:
        advice = f"It has {columns}; give one with {', '.join(FILES)}, separated by commas, semicolons or tabs."
        raise PipelineError(f"{table} has no column {', '.join(missing)}. {advice}")
    if unknown := [name for name in found.columns if name not in (*FILES, *OPTIONS)]:
        known = ", ".join((*FILES, *OPTIONS))
        raise PipelineError(f"{table} has the column {', '.join(unknown)}. Those that may be are {known}.")
    if not found.rows:
        raise PipelineError(f"{table} has no rows. Give one for each video.")
    rows = [row for number, row in enumerate(found.rows) if number not in found.faults]
    places = Counter((table.parent / row["out"]).resolve() for row in rows if row["out"])
    if twice := sorted({row["out"] for row in rows if places[(table.parent / row["out"]).resolve()] > 1}):
        raise PipelineError(f"{table} has one output twice, {', '.join(twice)}. Give each row its own.")
    read = {(table.parent / row[name]).resolve() for row in rows for name in ("picture", "speech")}
    if both := sorted({row["out"] for row in rows if row["out"] and (table.parent / row["out"]).resolve() in read}):
        raise PipelineError(f"{table} has {', '.join(both)} as an output and as an input. Give it another place.")
    return found


def _before(rows: list[Row], table: Path) -> list[Outcome | None]:
    """What earlier calls finished, of rows that say the same, and whose videos are there."""
    path = results_of(table)
    if not path.exists():
        return [None] * len(rows)
    finished = {}
    try:
        known = read_table(path, (*FILES, *OPTIONS, *OUTCOME))
        if not {*FILES, *OUTCOME} <= set(known.columns):
            raise KeyError
        for row in known.rows:
            state, message, frames, seconds, speed = (row.pop(name) for name in OUTCOME)
            if state == "done" and (table.parent / row["out"]).exists():
                finished[_key(row)] = Outcome(state, message, _whole(frames), _number(seconds), _number(speed))
    except (OSError, PipelineError, KeyError, ValueError) as error:
        raise PipelineError(f"{path} is not a table of results. Move it away.") from error
    return [finished.get(_key(row)) for row in rows]


def _key(row: Row) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(row.items()))


def _write(rows: list[Row], outcomes: list[Outcome | None], table: Path) -> None:
    ended = [{**row, **asdict(one)} for row, one in zip(rows, outcomes, strict=True) if one is not None]
    path = results_of(table)
    try:
        with replacing(path) as unfinished, unfinished.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, [*rows[0], *OUTCOME])
            writer.writeheader()
            writer.writerows(ended)
    except OSError as error:
        raise PipelineError(
            f"{path} cannot be written ({error.strerror}). Free space or fix the folder's permissions."
        ) from error
