"""Stage evaluate: every method on every test clip, measured, tabulated and shown."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rich.progress import track

from pipeline.config.params import Evaluate
from pipeline.evaluation.baselines.base import Generated, TestClip
from pipeline.evaluation.clips import Clips
from pipeline.evaluation.measure import compare, find_landmarks, means, summarize
from pipeline.evaluation.names import file_stems
from pipeline.evaluation.pictures import metrics_figure, strip, write_video
from pipeline.evaluation.registry import BASELINES, METRICS
from pipeline.inference.talking_head import TalkingHead
from pipeline.runtime import workers as parallel
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath

Summary = dict[str, dict[str, float]]

MEANS, INTERVALS = "metrics.json", "metrics.csv"
"""What the evaluation found: means alone, small enough for git and for one screen; and with their 95% intervals."""


def choose_clips(ids: list[str], max_clips: int, seed: int) -> list[str]:
    """All of ``ids``, or ``max_clips`` of them drawn with the seed, in order."""
    if not max_clips or max_clips >= len(ids):
        return ids
    drawn = np.random.default_rng(seed).choice(len(ids), size=max_clips, replace=False)
    return [ids[number] for number in sorted(drawn)]


def evaluate(head: TalkingHead, clips: Clips, params: Evaluate, seed: int, out: StrPath, jobs: int) -> Summary:
    """Measure the test split and write ``out``.

    metrics.json (means by method), metrics.csv (the same with 95% intervals), clips.csv (a row per clip, a column per
    method and metric), metrics.png, pictures/ID.png and videos/ID.mp4 for ``params.videos`` clips of the test split.
    Raises PipelineError when there is no test clip.
    """
    out = Path(out)
    ids = choose_clips(clips.ids("test"), params.max_clips, seed)
    if not ids:
        raise PipelineError("No clip of the test split is good. Give the split a larger share, or add clips.")
    shown = set(ids[:: max(1, len(ids) // max(1, params.videos))][: params.videos])
    stems = file_stems(ids)
    for folder in (out / "pictures", out / "videos"):  # outs of the stage, also where nothing is to be shown
        folder.mkdir(parents=True, exist_ok=True)

    def work() -> Iterator[tuple[TestClip, dict[str, Generated]]]:
        for name in ids:
            clip = clips.load(name)
            generated = {name: entry.generate(head, clip) for name, entry in BASELINES.items()}
            if name in shown:
                _write_png(out / "pictures" / f"{stems[name]}.png", strip(clip, generated))
                write_video(out / "videos" / f"{stems[name]}.mp4", clip, generated["at_vg"], clips.samples(name))
            yield clip, generated

    rows: list[dict[str, str | float]] = []
    with closing(parallel.run(((_measure, task, {}) for task in work()), jobs, ordered=True)) as measured:
        for clip_rows in track(measured, total=len(ids), description="evaluate", transient=True):
            rows += clip_rows
    table = pd.DataFrame(rows)
    summary = summarize(table, seed)
    write_tables(out, table, summary)
    metrics_figure(summary).savefig(out / "metrics.png", dpi=110, metadata={"Software": None})
    return summary


def _measure(clip: TestClip, generated: dict[str, Generated]) -> list[dict[str, str | float]]:
    real_points = find_landmarks(clip.frames_THWC)
    rows: list[dict[str, str | float]] = []
    for method, one in generated.items():
        # A still picture has the same points in every frame.
        still = bool((one.frames_THWC == one.frames_THWC[:1]).all())
        points = find_landmarks(one.frames_THWC[:1] if still else one.frames_THWC)
        points = np.broadcast_to(points, real_points.shape)
        metrics = compare(clip.frames_THWC, one.frames_THWC, real_points, points)
        rows.append({"id": clip.id, "speaker": clip.speaker, "method": method, **metrics})
    return rows


def write_tables(out: StrPath, clips: pd.DataFrame, summary: Summary) -> None:
    """Write clips.csv, a row per clip; metrics.csv, a row per method and metric; and metrics.json."""
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    wide = clips.pivot(index=["id", "speaker"], columns="method", values=list(METRICS))
    wide.columns = wide.columns.map("_".join)
    wide.reset_index().to_csv(out / "clips.csv", index=False, float_format="%.6f", lineterminator="\n")
    rows = [
        {"baseline": method, "metric": name, "mean": row[name], "low": row[f"{name}_low"], "high": row[f"{name}_high"]}
        for method, row in summary.items()
        for name in METRICS
        if name in row
    ]
    pd.DataFrame(rows).to_csv(out / INTERVALS, index=False, lineterminator="\n")
    (out / MEANS).write_text(json.dumps(means(summary), indent=2, allow_nan=False) + "\n")


def _write_png(path: Path, image_HWC: NDArray[np.uint8]) -> None:
    good, data = cv2.imencode(".png", image_HWC[:, :, ::-1])
    assert good
    path.write_bytes(bytes(data))
