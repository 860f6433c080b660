"""Run all studies on some clips of the test split, and write a table each."""

import zlib
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.evaluation.bootstrap import intervals
from pipeline.evaluation.clips import StoredClips
from pipeline.evaluation.evaluate import choose_clips, choose_test_clips
from pipeline.evaluation.studies.definitions import STUDIES, Study, StudyClip
from pipeline.inference.talking_head import TalkingHead
from pipeline.runtime.files import replacing
from pipeline.runtime.progress import with_progress

BABBLERS = 6
"""Clips of the training split that are mixed to babble."""


def run_studies(head: TalkingHead, clips: StoredClips, count: int, seed: int, out: Path) -> dict[str, pd.DataFrame]:
    """Run every study on ``count`` clips of the test split (0 for all), and write ``out/NAME.csv``.

    The seed is of the choice of clips, the noise and the intervals. Returns the tables by name, a row per level:
    ``level``, the mean over clips of every metric with its 95% interval (``lmd``, ``lmd_low``, ``lmd_high``), and the
    number of ``clips``. Raises PipelineError if the test split has no clip.
    """
    ids = choose_test_clips(clips, count, seed)
    babble_N = _babble(clips, seed)
    rows: dict[str, list[dict[str, object]]] = {name: [] for name in STUDIES}
    for clip in with_progress(ids, "studies", len(ids)):
        samples_N = clips.samples(clip)
        clip_seed = zlib.crc32(f"{seed}:{clip}".encode())
        study_clip = StudyClip(clips.load(clip), samples_N, np.resize(babble_N, len(samples_N)), clip_seed)
        for name, study in STUDIES.items():
            for level in study.levels:
                values = study.compute(head, study_clip, level)
                rows[name].append({"level": level, "speaker": study_clip.clip.speaker, **values})
    tables = {name: _table(study, pd.DataFrame(rows[name]), seed) for name, study in STUDIES.items()}
    out.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        with replacing(out / f"{name}.csv") as unfinished:
            table.to_csv(unfinished, index=False, float_format="%.6f", lineterminator="\n")
    return tables


def _babble(clips: StoredClips, seed: int) -> NDArray[np.float64]:
    """The sum of some training clips at equal level, as long as the shortest of them."""
    chosen = choose_clips(clips.ids("train"), BABBLERS, seed)
    voices = [clips.samples(clip) / 32768.0 for clip in chosen]
    length = min(map(len, voices))
    levels = [max(float(np.sqrt(np.mean(voice**2))), 1e-6) for voice in voices]
    return np.asarray(np.sum([voice[:length] / level for voice, level in zip(voices, levels, strict=True)], axis=0))


def _table(study: Study, rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The rows of all clips, averaged by level."""
    table = []
    for level, of_level in rows.groupby("level", sort=False):
        metrics = [name for name in study.metrics if name in of_level]
        low, high = intervals(of_level[metrics].to_numpy(float), list(of_level["speaker"]), seed)
        row = {"level": level}
        for number, name in enumerate(metrics):
            row |= {name: of_level[name].mean(), f"{name}_low": low[number], f"{name}_high": high[number]}
        table.append({**row, "clips": len(of_level)})
    return pd.DataFrame(table)
