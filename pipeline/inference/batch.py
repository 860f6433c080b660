"""Many videos from one table, several at a time, with a table of results."""

import csv
import logging
import math
import textwrap
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.config.generation import SETTINGS, Settings, parse_face
from pipeline.config.params import WhichFace
from pipeline.inference.checks import check_request
from pipeline.runtime.clock import FPS
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import check_writable, link_target, real_path, replacing
from pipeline.runtime.table import CsvRow, Table, read_table

if TYPE_CHECKING:  # the command checks a table before it loads torch
    from pipeline.inference.talking_head import TalkingHead

log = logging.getLogger(__name__)
FILES = ("picture", "speech", "out")
"""The required columns. Paths are relative to the table's folder."""
_FLAGS = {
    **dict.fromkeys(("true", "yes", "1", "1.0", "1,0"), True),
    **dict.fromkeys(("false", "no", "0", "0.0", "0,0"), False),
}


def _flag(text: str) -> bool:
    if text.lower() not in _FLAGS:
        raise ValueError(f"{text!r} is neither true nor false")
    return _FLAGS[text.lower()]


def _number(text: str) -> float:
    """Parse a number as spreadsheets write it, also with a decimal comma."""
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{text!r} is not a number")
    return number


def _whole_number(text: str) -> int:
    """Parse a whole number. pandas writes 1.0 for 1 in a column with empty cells."""
    number = int(text) if text.isdecimal() else _number(text)
    if number != int(number):
        raise ValueError(f"{text!r} is not a whole number")
    return int(number)


def _face(text: str) -> WhichFace:
    with suppress(ValueError):
        text = str(_whole_number(text))
    return parse_face(text.lower())


_PARSERS = {"face": _face, "number": _number, "whole number": _whole_number, "flag": _flag}
OPTIONS = {info.option: name for name, info in SETTINGS.items()}
"""Setting by optional column. The columns are named like the command's options; an empty cell means the option."""


@dataclass(frozen=True)
class Outcome:
    """The result of a row."""

    state: str
    message: str = ""
    frames: int = 0
    seconds: float = 0.0
    times_real_time: float = 0.0


OUTCOME = tuple(field.name for field in fields(Outcome))
"""The columns that the table of results adds."""


class _Abandoned(Exception):
    """The batch was told to end."""


def results_of(table: Path) -> Path:
    """Return the path of the table of results, which is next to the table."""
    return table.with_name(f"{table.stem}.results.csv")


def check_table(table: Path, settings: Settings | None = None, overwrite: bool = False) -> None:
    """Check a table before the networks are loaded, and warn if some rows will fail.

    Raises PipelineError if the table cannot be read, lacks a column, its results cannot be written, or all rows of
    unfinished videos would fail.
    """
    content = _read(table)
    check_writable(link_target(results_of(table)))
    finished: list[Outcome | None] = [None] * len(content.rows) if overwrite else _finished(content.rows, table)
    open_rows = [number for number, outcome in enumerate(finished) if outcome is None]
    faults = []
    for number in open_rows:
        try:
            if number in content.faults:
                raise PipelineError(content.faults[number])
            picture, speech, out, _ = _request(content.rows[number], table.parent, settings or Settings())
            check_request(picture, speech, out, overwrite=overwrite)
        except (PipelineError, OSError) as error:
            faults.append(f"Row {number + 1}: {error}")
    if faults and len(faults) == len(open_rows):
        raise PipelineError(f"{table}: no row can be generated. {faults[0]}")
    if faults:
        log.warning("%s: %d of %d rows cannot be generated. %s", table, len(faults), len(content.rows), faults[0])


def generate_batch(
    head: "TalkingHead",
    table: Path,
    jobs: int = 1,
    settings: Settings | None = None,
    *,
    overwrite: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Outcome]:
    """Generate a video for each row of a CSV, and write the table of results after each. Returns an outcome per row.

    A row that fails does not stop the others. Rows that an earlier call finished are skipped while their videos exist.

    Args:
        head: The networks.
        table: The CSV with the columns `FILES` and any of `OPTIONS`.
        jobs: Rows that are generated at a time.
        settings: The settings where a row has none of its own.
        overwrite: Whether finished rows are generated again, and files that exist are replaced.
        on_progress: Called with the number of finished rows and of all rows.

    Raises:
        PipelineError: The table cannot be read or lacks a column.
    """
    import torch

    content = _read(table)
    rows = content.rows
    outcomes: list[Outcome | None] = [None] * len(rows) if overwrite else _finished(rows, table)
    for number, fault in content.faults.items():
        outcomes[number] = Outcome("failed", fault)
    _write(rows, outcomes, table)  # fails now rather than after the first video
    stop, threads = threading.Event(), max(1, torch.get_num_threads() // jobs)

    def work(number: int) -> Outcome:
        torch.set_num_threads(threads)  # applies to this thread only
        return _generate_row(head, rows[number], table.parent, settings or Settings(), overwrite, stop)

    def report() -> None:
        if on_progress:
            on_progress(sum(outcome is not None for outcome in outcomes), len(rows))

    with ThreadPoolExecutor(jobs) as pool:
        open_rows = {pool.submit(work, number): number for number in range(len(rows)) if outcomes[number] is None}
        try:
            report()
            for future in as_completed(open_rows):
                outcomes[open_rows[future]] = future.result()
                _write(rows, outcomes, table)
                report()
        except BaseException:  # a signal: running rows end at their next frame, and leave no file
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return [outcome for outcome in outcomes if outcome is not None]


def _generate_row(
    head: "TalkingHead", row: CsvRow, folder: Path, settings: Settings, overwrite: bool, stop: threading.Event
) -> Outcome:
    def check_stop(done: int, total: int | None) -> None:
        if stop.is_set():
            raise _Abandoned

    from pipeline.inference.video import generate_video

    start = time.perf_counter()
    try:
        picture, speech, out, own = _request(row, folder, settings)
        video = generate_video(head, picture, speech, out, own, overwrite=overwrite, on_progress=check_stop)
    except _Abandoned:
        raise
    except (PipelineError, OSError) as error:
        return Outcome("failed", str(error))
    except Exception as error:  # the other rows continue, whatever it is
        log.exception("%s", row)
        return Outcome("failed", f"{type(error).__name__}: {error}")
    seconds = time.perf_counter() - start
    return Outcome("done", "", video.frames, round(seconds, 2), round(video.frames / FPS / seconds, 2))


def _request(row: CsvRow, folder: Path, settings: Settings) -> tuple[Path, Path, Path, Settings]:
    """Return the picture, the speech, the output and the settings of a row. Raises PipelineError for a wrong cell."""
    picture, speech, out = (folder / _file(row, name) for name in FILES)
    own = {name: _cell(row, column) for column, name in OPTIONS.items() if row.get(column)}
    return picture, speech, out, replace(settings, **own)


def _file(row: CsvRow, column: str) -> str:
    if row[column] in ("", "-"):  # "-" would be a pipe
        raise PipelineError(f"The column {column} names no file. Fill it in.")
    return row[column]


def parse_cell(column: str, text: str) -> Any:
    """Parse a cell of one of the columns `OPTIONS`. Raises ValueError or PipelineError for a wrong value."""
    return _PARSERS[SETTINGS[OPTIONS[column]].kind](text)


def _cell(row: CsvRow, column: str) -> Any:
    try:
        return parse_cell(column, row[column])
    except ValueError as error:
        raise PipelineError(f"The column {column} is wrong: {error}.") from error


def _read(table: Path) -> Table:
    try:
        content = read_table(table, (*FILES, *OPTIONS))
    except FileNotFoundError:
        raise PipelineError(f"{table} does not exist. Give --batch a CSV with {', '.join(FILES)}.") from None
    except OSError as error:
        raise PipelineError(f"{table} cannot be read ({error.strerror}). Give another.") from error
    columns = textwrap.shorten(", ".join(content.columns) or "none", 200, placeholder=" ...")
    if missing := [name for name in FILES if name not in content.columns]:
        advice = f"It has {columns}; give one with {', '.join(FILES)}, separated by commas, semicolons or tabs."
        raise PipelineError(f"{table} has no column {', '.join(missing)}. {advice}")
    if unknown := [name for name in content.columns if name not in (*FILES, *OPTIONS)]:
        known = ", ".join((*FILES, *OPTIONS))
        raise PipelineError(f"{table} has the column {', '.join(unknown)}. Those that may be are {known}.")
    if not content.rows:
        raise PipelineError(f"{table} has no rows. Give one for each video.")
    rows = [row for number, row in enumerate(content.rows) if number not in content.faults]

    def place(row: CsvRow, column: str) -> Path:
        return real_path(table.parent / row[column])

    outputs = Counter(place(row, "out") for row in rows if row["out"])
    if twice := sorted({row["out"] for row in rows if outputs[place(row, "out")] > 1}):
        raise PipelineError(f"{table} has one output twice, {', '.join(twice)}. Give each row its own.")
    inputs = {place(row, column) for row in rows for column in ("picture", "speech")}
    if both := sorted({row["out"] for row in rows if row["out"] and place(row, "out") in inputs}):
        raise PipelineError(f"{table} has {', '.join(both)} as an output and as an input. Give it another place.")
    return content


def _finished(rows: list[CsvRow], table: Path) -> list[Outcome | None]:
    """Return the outcomes of rows that an earlier call finished, if the row is the same and its video exists."""
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
                numbers = _whole_number(frames), _number(seconds), _number(speed)
                finished[frozenset(row.items())] = Outcome(state, message, *numbers)
    except (OSError, PipelineError, KeyError, ValueError) as error:
        raise PipelineError(f"{path} is not a table of results. Move it away.") from error
    return [finished.get(frozenset(row.items())) for row in rows]


def _write(rows: list[CsvRow], outcomes: list[Outcome | None], table: Path) -> None:
    ended = [{**row, **asdict(result)} for row, result in zip(rows, outcomes, strict=True) if result is not None]
    path = results_of(table)
    try:
        with replacing(link_target(path)) as unfinished, unfinished.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, [*rows[0], *OUTCOME])
            writer.writeheader()
            writer.writerows(ended)
    except OSError as error:
        reason = f"{path} cannot be written ({error.strerror}). Free space or fix the folder's permissions."
        raise PipelineError(reason) from error
