"""What watches a training: the one callback interface, and the two listeners every training has.

A training that was killed and resumes replays the metrics it has already reported, so a listener always
receives the whole curve, in order, whatever happened in between.
"""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np


class Listener:
    """Receives what happens in a training. Override what you need; the rest does nothing."""

    def start(self, name: str, steps: int) -> None:
        """Training of the network `name`, of `steps` steps altogether, begins or resumes."""

    def progress(self, step: int, loss: float) -> None:
        """`step` steps are done, the latest with this loss (called every few steps)."""

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Means of the training's losses since the last call, and the validation's results, after `step` steps."""

    def picture(self, step: int, name: str, image_HWC: np.ndarray) -> None:
        """A validation's picture, uint8 RGB of shape (height, width, 3)."""

    def done(self, step: int, summary: Mapping[str, float]) -> None:
        """Training ended after `step` steps; `summary` is what the entry function returns."""


class History(Listener):
    """Writes every metric as `history.csv`: a row a validation, `step` and one column a metric in order of appearance.

    Holds no times, so the same training writes the same bytes. The file is replaced whole by a rename.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: dict[int, dict[str, float]] = {}

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Add the row of `step` and rewrite the file."""
        self.rows[step] = dict(values)
        columns = list(dict.fromkeys(name for row in self.rows.values() for name in row))
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(["step", *columns])
        for number, row in self.rows.items():
            table.writerow([number, *(f"{row[name]:.6g}" if name in row else "" for name in columns)])
        self.path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.path.with_name(self.path.name + ".part")
        unfinished.write_text(text.getvalue())
        unfinished.replace(self.path)


class Progress(Listener):
    """Shows a progress bar with the latest loss on a terminal (needs rich, which is imported when one is made)."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("loss {task.fields[loss]:.4f}"),
        )

    def start(self, name: str, steps: int) -> None:
        """Open the bar."""
        self.task = self.bar.add_task(name, total=steps, loss=float("nan"))
        self.bar.start()

    def progress(self, step: int, loss: float) -> None:
        """Move the bar."""
        self.bar.update(self.task, completed=step, loss=loss)

    def done(self, step: int, summary: Mapping[str, float]) -> None:
        """Close the bar."""
        self.bar.update(self.task, completed=step)
        self.bar.stop()
