"""Small evaluations of drawn numbers, for tests of what is made of the tables."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.evaluation.baselines import AT_VG, BASELINES, MISMATCHED
from pipeline.evaluation.tables import ClipResult, Summary, tabulate, write_tables
from pipeline.inference.compositing.panels import LABEL_HEIGHT, PANEL
from pipeline.media import VideoWriter
from pipeline.metrics import METRICS

METHODS = ("static", "vg_gt", "at_vg")
INFO = {"kind": "evaluation", "protocol": "full", "seed": 0, "fps": 25, "size": 128, "failed": 0}


def drawn_clips(ids: list[str], seed: int = 0, methods: tuple[str, ...] = METHODS) -> pd.DataFrame:
    """A row per clip and method; every third clip is of a speaker of the training."""
    draw = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for number, name in enumerate(ids):
        speaker, seen = f"s{number % 3}", "yes" if number % 3 == 0 else "no"
        for method in methods:
            values = {metric: draw.uniform(0.5, 1.5) for metric in METRICS}
            rows.append({"id": name, "speaker": speaker, "seen": seen, "method": method, **values})
    return tabulate(rows)


def write_evaluation(folder: Path, clips: pd.DataFrame, results: tuple[ClipResult, ...] = (), **info: Any) -> Summary:
    """Its tables."""
    methods = {name: BASELINES[name].title for name in dict.fromkeys(clips["method"])}
    told = {**INFO, "clips": clips["id"].nunique(), "methods": methods, **info}
    pairs = [(AT_VG, MISMATCHED)] if MISMATCHED in methods else []
    return write_tables(folder, clips, 0, results, told, pairs)


def write_video(path: Path, seconds: float = 0.4) -> None:
    """Four panels of noise that changes, with sound."""
    draw = np.random.default_rng(0)
    size = (4 * PANEL, PANEL + LABEL_HEIGHT)
    samples = (draw.standard_normal(int(16000 * seconds)) * 2000).astype(np.int16)
    path.parent.mkdir(parents=True, exist_ok=True)
    with VideoWriter(path, size=size, fps=25, audio=samples) as video:
        for _ in range(round(seconds * 25)):
            coarse = draw.integers(0, 256, (size[1] // 16 + 1, size[0] // 16, 3)).astype(np.uint8)
            video.write(np.ascontiguousarray(coarse.repeat(16, axis=0).repeat(16, axis=1)[: size[1]]))
