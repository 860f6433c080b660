"""The quality report in the MLflow runs of extract and landmarks, also if they fail because of rejected clips."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.prepare.quality import SHEET, TABLE
from pipeline.prepare.quality.limits import TooManyLost
from pipeline.prepare.quality.report import summary, write_report
from pipeline.runtime import paths
from pipeline.runtime.errors import PipelineError
from stages.runner import Context

Rows = Sequence[Mapping[str, Any]]


def track_report(context: Context, folder: Path, table: pd.DataFrame) -> None:
    """Record the report and its numbers in the stage's run."""
    context.run.metrics(summary(table))
    context.run.artifact(folder)


def explain(error: TooManyLost, context: Context, stage: str, clips: Rows, faces: Rows, root: Path) -> PipelineError:
    """The error to raise instead of ``error``: its message, and the folder that shows the rejected clips.

    A stage that fails keeps its earlier outs, so the report is written to another folder, and to the stage's run.

    Args:
        error: The stage's error.
        context: The stage's context.
        stage: Its name.
        clips: Rows of the manifest.
        faces: Rows of the faces, if there are any.
        root: Folder of the corpus.
    """
    folder = paths.rejected_folder(stage)
    table = write_report(folder, clips, faces, root, paths.FACES, context.params)
    track_report(context, folder, table)
    return PipelineError(f"{error}\nThe rejected clips: {folder / SHEET}\nAll metrics:        {folder / TABLE}")
