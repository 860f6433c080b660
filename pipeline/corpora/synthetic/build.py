"""The whole corpus: plan the clips, make them on all cores, describe them, and put the folder in place."""

import shutil
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
from rich.progress import track

from pipeline.corpora.synthetic.appearance import draw_appearances
from pipeline.corpora.synthetic.clip import ClipPlan, make_clip
from pipeline.corpora.synthetic.contact_sheet import draw_contact_sheet
from pipeline.corpora.synthetic.corpus import SyntheticParams
from pipeline.corpora.synthetic.grammar import draw_sentences
from pipeline.runtime import workers as parallel
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath


def build_synthetic(params: SyntheticParams, folder: StrPath, jobs: int) -> None:
    """Make the corpus in ``folder``, which it replaces as a whole once everything is there.

    Besides GRID's layout, ``script.parquet`` has a row per frame: speaker, name, frame, ``opening`` and ``width`` of
    the mouth (pixels of the frame) and whether the lips are ``closed``; ``contact_sheet.png`` shows the speakers. The
    same params give the same bytes with any number of ``jobs``. Raises PipelineError for params of which no
    corpus can be made.
    """
    folder = Path(folder)
    plans = plan_clips(params)
    unfinished = folder.with_name(f".{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    tasks: list[parallel.Task] = [(make_clip, (plan, unfinished.absolute()), {}) for plan in plans]
    try:
        with closing(
            parallel.run(tasks, min(jobs, len(plans)), ordered=True, shared_paths=[unfinished.absolute()])
        ) as made:
            scripts = list(track(made, description="sample corpus", total=len(plans)))
        script = pd.concat(scripts, ignore_index=True)
        script.to_parquet(unfinished / "script.parquet", index=False)
        draw_contact_sheet(script, unfinished)
        if folder.exists():
            shutil.rmtree(folder)
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def plan_clips(params: SyntheticParams) -> list[ClipPlan]:
    """All clips, speaker by speaker; no sentence comes twice."""
    for key in ("speakers", "sentences"):
        if getattr(params, key) < 1:
            raise PipelineError(f"corpora.sample.{key} is {getattr(params, key)}. It must be at least 1.")
    if params.seed < 0:
        raise PipelineError(f"corpora.sample.seed is {params.seed}. It must be 0 or more.")
    sentences = draw_sentences(params.speakers * params.sentences, np.random.default_rng((params.seed, 0)))
    appearances = draw_appearances(params.speakers, params.seed)
    return [
        ClipPlan(appearances[i // params.sentences], sentence, seed=(params.seed, 2, i))
        for i, sentence in enumerate(sentences)
    ]
