"""All studies on some clips of the test split: a table each."""

import zlib
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rich.progress import track

from pipeline.evaluation.bootstrap import intervals
from pipeline.evaluation.clips import StoredClips
from pipeline.evaluation.evaluate import choose_clips
from pipeline.evaluation.studies.base import Material, Study
from pipeline.evaluation.studies.registry import STUDIES
from pipeline.inference.talking_head import TalkingHead
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import replacing

BABBLERS = 6
"""Clips of the training split, of as many speakers as there are, that are heard at once."""


def run_studies(head: TalkingHead, clips: StoredClips, count: int, seed: int, out: Path) -> dict[str, pd.DataFrame]:
    """Run every study on ``count`` clips of the test split (0: all) and write `out`/NAME.csv.

    A row per level: `level`, every metric of the study as its mean over clips with its 95% interval (`lmd`, `lmd_low`,
    `lmd_high`), and the number of `clips`. Raises PipelineError where there is no clip.
    """
    ids = choose_clips(clips.ids("test"), count, seed)
    if not ids:
        raise PipelineError("No clip of the test split is good. Give the split a larger share, or add clips.")
    babble_N = _babble(clips, seed)
    rows: dict[str, list[dict[str, object]]] = {name: [] for name in STUDIES}
    for clip in track(ids, description="studies", transient=True):
        material = _material(clips, clip, babble_N, seed)
        for name, study in STUDIES.items():
            for level in study.levels:
                values = study.measure(head, material, level)
                rows[name].append({"level": level, "speaker": material.clip.speaker, **values})
    tables = {name: _table(study, pd.DataFrame(rows[name]), seed) for name, study in STUDIES.items()}
    out.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        with replacing(out / f"{name}.csv") as unfinished:
            table.to_csv(unfinished, index=False, float_format="%.6f", lineterminator="\n")
    return tables


def _material(clips: StoredClips, clip: str, babble_N: NDArray[np.float64], seed: int) -> Material:
    samples_N = clips.samples(clip)
    babble_N = np.resize(babble_N, len(samples_N))
    return Material(clips.load(clip), samples_N, babble_N, zlib.crc32(f"{seed}:{clip}".encode()))


def _babble(clips: StoredClips, seed: int) -> NDArray[np.float64]:
    """Clips of the training split at the same level, one over the other, as long as the shortest."""
    chosen = choose_clips(clips.ids("train"), BABBLERS, seed)
    voices = [clips.samples(clip) / 32768.0 for clip in chosen]
    length = min(map(len, voices))
    level = [max(float(np.sqrt(np.mean(voice**2))), 1e-6) for voice in voices]
    return np.asarray(np.sum([voice[:length] / one for voice, one in zip(voices, level, strict=True)], axis=0))


def _table(study: Study, rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    made = []
    for level, of_level in rows.groupby("level", sort=False):
        names = [name for name in study.metrics if name in of_level]
        low, high = intervals(of_level[names].to_numpy(float), list(of_level["speaker"]), seed)
        row = {"level": level}
        for number, name in enumerate(names):
            row |= {name: of_level[name].mean(), f"{name}_low": low[number], f"{name}_high": high[number]}
        made.append({**row, "clips": len(of_level)})
    return pd.DataFrame(made)
