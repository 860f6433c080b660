"""The quality table: one row for every clip of the corpus, good or rejected, with all metrics and the verdict."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline.faces.quality import QUALITY_METRICS
from pipeline.prepare.quality.thresholds import LIMITS
from pipeline.runtime.files import write_table

METRICS = tuple(limit.metric for limit in LIMITS)
"""Names of the columns with metrics."""

PLOTTED = 1000
"""Clips in the CSV for DVC's plots, which draw a mark for each and would not bear a whole large corpus."""

_CLIP = ("id", "speaker", "split", "status", "reason", "frames", "damaged", "level", "length_difference")
_FACE = ("id", "status", "reason", *QUALITY_METRICS)
_TEXTS = ("id", "speaker", "split", "status", "stage", "reason")
_SCHEMA = pa.schema(
    [pa.field(name, pa.string()) for name in _TEXTS]
    + [pa.field(name, pa.int32() if name == "frames" else pa.float64()) for name in METRICS]
)


def quality_table(clips: Sequence[Mapping[str, Any]], faces: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Join ``clips`` (all rows of the manifest) with ``faces`` (rows of the stage landmarks, of those it was given).

    Columns: id, speaker, split; ``status`` ok or rejected; ``stage`` that rejected the clip, or empty; ``reason`` why,
    or what is odd about a good clip; then ``METRICS``, NaN where a clip could not be measured.
    """
    table = pd.DataFrame.from_records(list(clips), columns=list(_CLIP), index="id")
    found = pd.DataFrame.from_records(list(faces), columns=list(_FACE), index="id").reindex(table.index)
    by_extract, by_landmarks = table["status"] != "ok", found["status"] == "rejected"
    table["stage"] = np.select([by_extract, by_landmarks], ["extract", "landmarks"], "")
    table["status"] = np.where(by_extract | by_landmarks, "rejected", "ok")
    table["reason"] = np.where(by_landmarks, found["reason"], table["reason"])
    table[list(QUALITY_METRICS)] = found[list(QUALITY_METRICS)]
    return table.reset_index()[list(_SCHEMA.names)]


def write_quality(table: pd.DataFrame, parquet: Path, csv: Path) -> None:
    """Write the whole table as parquet, and at most ``PLOTTED`` clips, evenly over the table, as CSV."""
    write_table(parquet, pa.Table.from_pandas(table, schema=_SCHEMA, preserve_index=False))
    few = table.iloc[np.linspace(0, len(table) - 1, min(len(table), PLOTTED)).astype(int)]
    few.to_csv(csv, index=False, float_format="%.6g", lineterminator="\n")


def summary(table: pd.DataFrame) -> dict[str, Any]:
    """Numbers for a run's metrics: clips, rejected ones and their share, by stage, and the metrics' medians."""
    lost = table["status"] != "ok"
    return {
        "clips": len(table),
        "rejected": int(lost.sum()),
        "rejected_share": float(lost.mean()),
        "rejected_by": {stage: int((table["stage"] == stage).sum()) for stage in ("extract", "landmarks")},
        "median": {name: float(table[name].median()) for name in METRICS if table[name].notna().any()},
    }
