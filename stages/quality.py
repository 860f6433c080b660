"""The quality report of the stages that judge clips, in their MLflow run; also where they reject too many and fail."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.prepare.quality import SHEET, TABLE
from pipeline.prepare.quality.rejections import TooManyLost
from pipeline.prepare.quality.report import write_report
from pipeline.prepare.quality.table import summary
from pipeline.runtime import paths
from pipeline.runtime.errors import PipelineError
from stages.runner import Context

Rows = Sequence[Mapping[str, Any]]


def track_report(context: Context, folder: Path, table: pd.DataFrame) -> None:
    """Put the report and its numbers into the stage's run."""
    context.run.metrics(summary(table))
    context.run.artifact(folder)


def explain(error: TooManyLost, context: Context, stage: str, clips: Rows, faces: Rows, root: Path) -> PipelineError:
    """What to raise in place of ``error``: the same message, and where the rejected clips are to be seen.

    A stage that fails keeps its earlier outs, so this report goes elsewhere, and into the stage's run.
    """
    folder = paths.rejected_folder(stage)
    table = write_report(folder, clips, faces, root, paths.FACES, context.params)
    track_report(context, folder, table)
    return PipelineError(f"{error}\nThe rejected clips: {folder / SHEET}\nAll metrics:        {folder / TABLE}")
