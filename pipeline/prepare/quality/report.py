"""The quality report: a table of all clips, its histograms, and a contact sheet of rejected clips."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline.faces.crop import encode_jpeg
from pipeline.prepare.quality import HISTOGRAMS, PLOTTED, SHEET, TABLE
from pipeline.prepare.quality.contact_sheet import Sources, draw_sheet
from pipeline.prepare.quality.limits import LIMITS, QUALITY_METRICS, limits_of
from pipeline.runtime.parquet import write_table

Rows = Sequence[Mapping[str, Any]]

_PLOTTED_CLIPS = 1000  # DVC's plots have a mark per clip
_BINS = 40
_KEPT, _REJECTED = "#4c78a8", "#e45756"

_CLIP_COLUMNS, _FACE_COLUMNS = ([limit.metric for limit in limits_of(stage)] for stage in ("extract", "landmarks"))
_SCHEMA = pa.schema(
    [pa.field(name, pa.string()) for name in ("id", "speaker", "split", "status", "stage", "reason")]
    + [pa.field(name, pa.int32() if name == "frames" else pa.float64()) for name in QUALITY_METRICS]
)


def write_report(folder: Path, clips: Rows, faces: Rows, root: Path, shards: Path, params: Any) -> pd.DataFrame:
    """Write the report's four files into ``folder`` and return the `quality_table` of ``clips`` and ``faces``.

    ``faces`` are the rows of the stage landmarks, ``shards`` is the folder of their shards, ``root`` the corpus's
    folder, and ``params`` are all params. The bytes depend on the arguments alone.
    """
    table = quality_table(clips, faces)
    folder.mkdir(parents=True, exist_ok=True)
    write_quality(table, folder / TABLE, folder / PLOTTED)
    histograms_figure(table, params).savefig(folder / HISTOGRAMS, dpi=90, metadata={"Software": None})
    clips_by_id, faces_by_id = ({row["id"]: row for row in rows} for rows in (clips, faces))
    sources = Sources(clips_by_id, faces_by_id, root, shards, params.landmarks.size, params.extract.time_limit)
    (folder / SHEET).write_bytes(encode_jpeg(draw_sheet(table, sources), 90))
    return table


def quality_table(clips: Rows, faces: Rows) -> pd.DataFrame:
    """Join ``clips`` (all rows of the manifest) with ``faces`` (rows of the stage landmarks).

    Columns: id, speaker, split; ``status``, ok or rejected; ``stage`` that rejected the clip, or empty; ``reason`` of
    the rejection, or warnings about a good clip; then the metrics, NaN if they could not be measured.
    """
    columns = ["id", "speaker", "split", "status", "reason", *_CLIP_COLUMNS]
    table = pd.DataFrame.from_records(list(clips), columns=columns, index="id")
    columns = ["id", "status", "reason", *_FACE_COLUMNS]
    measured = pd.DataFrame.from_records(list(faces), columns=columns, index="id").reindex(table.index)
    by_extract, by_landmarks = table["status"] != "ok", measured["status"] == "rejected"
    table["stage"] = np.select([by_extract, by_landmarks], ["extract", "landmarks"], "")
    table["status"] = np.where(by_extract | by_landmarks, "rejected", "ok")
    table["reason"] = np.where(by_landmarks, measured["reason"], table["reason"])
    table[_FACE_COLUMNS] = measured[_FACE_COLUMNS]
    return table.reset_index()[list(_SCHEMA.names)]


def write_quality(table: pd.DataFrame, parquet: Path, csv: Path) -> None:
    """Write the whole table as parquet, and at most 1000 clips, spread evenly, as CSV."""
    write_table(parquet, pa.Table.from_pandas(table, schema=_SCHEMA, preserve_index=False))
    few = table.iloc[np.linspace(0, len(table) - 1, min(len(table), _PLOTTED_CLIPS)).astype(int)]
    few.to_csv(csv, index=False, float_format="%.6g", lineterminator="\n")


def summary(table: pd.DataFrame) -> dict[str, Any]:
    """The table in numbers, for a run's metrics: clips, rejected clips by stage, and the medians of the metrics."""
    lost = table["status"] != "ok"
    return {
        "clips": len(table),
        "rejected": int(lost.sum()),
        "rejected_share": float(lost.mean()),
        "rejected_by": {stage: int((table["stage"] == stage).sum()) for stage in ("extract", "landmarks")},
        "median": {name: float(table[name].median()) for name in QUALITY_METRICS if table[name].notna().any()},
    }


def histograms_figure(table: pd.DataFrame, params: Any) -> Any:
    """A histogram per metric, rejected clips in red, limits (of all ``params``) as dashed lines: a matplotlib figure.

    A red tick below an axis marks rejected clips, because one of many thousands has no visible bar.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 11.3))
    lost = table["status"] != "ok"
    figure.suptitle(f"{len(table)} clips, {lost.sum()} rejected (red); limits dashed", fontsize=11)
    room = {"left": 0.04, "right": 0.985, "bottom": 0.045, "top": 0.94, "hspace": 0.42, "wspace": 0.22}
    axes = figure.subplots(4, 4, gridspec_kw=room).ravel()
    for axis, limit in zip(axes, LIMITS, strict=False):
        value = limit.value(getattr(params, limit.section))
        values = table[limit.metric]
        lines = [-value, value] if not limit.is_minimum and (values < 0).any() else [value]
        _histogram(axis, values[~lost].dropna(), values[lost].dropna(), lines)
        axis.set_title(limit.label, fontsize=10)
        missing = int(table[limit.metric].isna().sum())
        note = f", {missing} not measured" if missing else ""
        axis.set_xlabel(f"{limit.section}.{limit.param} = {value:g}{note}", fontsize=8)
        axis.tick_params(labelsize=8)
    for axis in axes[len(LIMITS) :]:
        axis.set_axis_off()
    return figure


def _histogram(axis: Any, kept: "pd.Series[float]", lost: "pd.Series[float]", lines: list[float]) -> None:
    values = np.concatenate([lines, kept, lost])
    low, high = float(values.min()), float(values.max())
    edges = np.linspace(low, high if high > low else low + 1, _BINS + 1)
    axis.hist([kept, lost], bins=edges, stacked=True, color=[_KEPT, _REJECTED])
    for line in lines:
        axis.axvline(line, color="black", linestyle="--", linewidth=1)
    marked = np.unique(np.digitize(lost, edges[1:-1]))
    axis.set_ylim(bottom=0)
    middles = (edges[:-1] + edges[1:]) / 2
    axis.plot(middles[marked], np.zeros(len(marked)), "|", color=_REJECTED, markersize=12, clip_on=False)
