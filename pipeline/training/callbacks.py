"""Callbacks of a training: the interface, and the two that every training has, history and progress."""

import csv
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from pipeline.runtime.files import replacing
from pipeline.runtime.paths import StrPath
from pipeline.runtime.progress import Advance, progress


class Callback:
    """Gets the events of a training. A resumed training first replays its metrics, so curves are always complete."""

    def start(self, name: str, steps: int) -> None:
        """The training of the network `name`, of `steps` steps in all, starts or resumes."""

    def progress(self, step: int, loss: float) -> None:
        """`step` steps are done, the last one with this loss (called every few steps)."""

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Results of the validation after `step` steps, and mean training losses since the last validation."""

    def picture(self, step: int, name: str, image_HWC: np.ndarray) -> None:
        """A picture of a validation, uint8 RGB (H, W, 3)."""

    def done(self, step: int, summary: Mapping[str, float]) -> None:
        """The training ended after `step` steps; `summary` is the result of `train`."""


class History(Callback):
    """Writes all metrics as `history.csv`: a row per validation, `step` and one column per metric, without times."""

    def __init__(self, path: StrPath) -> None:
        self.path = Path(path)
        self.rows: dict[int, dict[str, float]] = {}

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Add the row of `step`."""
        self.rows[step] = dict(values)
        columns = list(dict.fromkeys(name for row in self.rows.values() for name in row))
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(self.path) as unfinished, unfinished.open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, ["step", *columns], lineterminator="\n")
            table.writeheader()
            for number, row in self.rows.items():
                table.writerow({"step": number} | {name: f"{value:.6g}" for name, value in row.items()})


class Progress(Callback):
    """Shows the progress, as a bar or as a line `every` so many seconds, and prints the results of validations."""

    def __init__(self, every: float = 30.0) -> None:
        self.every, self.name, self.steps, self.step = every, "", 0, 0
        self._display = ExitStack()
        self._advance: Advance | None = None

    def start(self, name: str, steps: int) -> None:
        """Print the number of steps."""
        self.name, self.steps = name, steps
        print(f"{name}: {steps} steps", flush=True)

    def progress(self, step: int, loss: float) -> None:
        """Move the bar, or print a line if it is time for one."""
        if self._advance is None:  # a resumed training does not start at 0
            self._advance = self._display.enter_context(progress(self.name, self.steps, self.every, done=step))
        else:
            self._advance(step - self.step, f"loss {loss:.4f}")
        self.step = step

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Print the validation's results."""
        results = [f"{name} {value:.4g}" for name, value in values.items() if name.startswith("val.")]
        print(f"{self.name} {step}/{self.steps}: {', '.join(results)}", flush=True)

    def done(self, step: int, summary: Mapping[str, float]) -> None:
        """Close the bar and print the step whose weights are kept."""
        self._display.close()
        print(f"{self.name} {step}/{self.steps}: done, the weights of step {summary['step']:.0f} are kept", flush=True)
