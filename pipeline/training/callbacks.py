"""What watches a training: the one callback interface, and the two callbacks every training has, history and progress.

A training that was killed and resumes replays the metrics it has already reported, so a callback always
receives the whole curve, in order, whatever happened in between.
"""

import csv
import io
import sys
import time
from collections.abc import Mapping
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from pipeline.runtime.files import replacing
from pipeline.runtime.paths import StrPath


class Callback:
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


class History(Callback):
    """Writes every metric as `history.csv`: a row per validation, `step` and one column per metric.

    Holds no times, so the same training writes the same bytes. The file is replaced whole by a rename.
    """

    def __init__(self, path: StrPath) -> None:
        path = Path(path)
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
        with replacing(self.path) as unfinished:
            unfinished.write_text(text.getvalue())


def progress() -> Callback:
    """What shows a training's progress: a bar on a terminal, lines where there is none, or no rich to draw it."""
    return Bar() if sys.stdout.isatty() and find_spec("rich") else Lines()


class Lines(Callback):
    """Prints the results of every validation, and how far the training is at most once `every` so many seconds."""

    def __init__(self, every: float = 30.0) -> None:
        self.every = every
        self.name, self.steps = "", 0
        self.told: tuple[int, float] | None = None
        """Step and time of the last line on the way."""

    def start(self, name: str, steps: int) -> None:
        """Print what begins."""
        self.name, self.steps = name, steps
        print(f"{name}: {steps} steps", flush=True)

    def progress(self, step: int, loss: float) -> None:
        """Print a line, if it is time for one: loss, rate and the time that is left."""
        now = time.monotonic()
        if self.told is None:
            self.told = step, now
        elif now - self.told[1] >= self.every:
            rate = (step - self.told[0]) / (now - self.told[1])
            left = timedelta(seconds=round((self.steps - step) / rate))
            print(f"{self._at(step)}: loss {loss:.4f}, {rate:.3g} steps per second, {left} to go", flush=True)
            self.told = step, now

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Print what was validated."""
        shown = [f"{name} {value:.4g}" for name, value in values.items() if name.startswith("val.")]
        print(f"{self._at(step)}: {', '.join(shown)}", flush=True)

    def done(self, step: int, summary: Mapping[str, float]) -> None:
        """Print which weights were kept."""
        print(f"{self._at(step)}: done, the weights of step {summary['step']:.0f} are kept", flush=True)

    def _at(self, step: int) -> str:
        return f"{self.name} {step}/{self.steps}"


class Bar(Callback):
    """Shows a progress bar with the latest loss (needs rich, which is imported when one is made)."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[loss]}"),
        )

    def start(self, name: str, steps: int) -> None:
        """Open the bar."""
        self.task = self.bar.add_task(name, total=steps, loss="")
        self.bar.start()

    def progress(self, step: int, loss: float) -> None:
        """Move the bar."""
        self.bar.update(self.task, completed=step, loss=f"loss {loss:.4f}")

    def done(self, step: int, summary: Mapping[str, float]) -> None:
        """Close the bar."""
        self.bar.update(self.task, completed=step)
        self.bar.stop()
