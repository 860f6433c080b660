"""The sample corpus: synthetic speakers say GRID sentences."""

import shutil
from contextlib import closing
from pathlib import Path

import av
import cv2
import numpy as np
import pandas as pd
from PIL import Image

from pipeline.corpora.sample import SyntheticParams
from pipeline.runtime import workers
from pipeline.runtime.progress import with_progress
from pipeline.synthetic.clip import ClipPlan, make_clip
from pipeline.synthetic.sentences import draw_sentences
from pipeline.synthetic.speakers import Stream, draw_appearances

_ROWS = 8  # speakers in the contact sheet, at most
_OPENINGS = (0.0, 0.3, 0.5, 0.75, 1.0)  # columns: shares of the clip's largest mouth opening
_CROP = (slice(8, 248), slice(60, 300))
_SIDE, _GAP = 132, 4


def build_synthetic(params: SyntheticParams, folder: Path, jobs: int) -> None:
    """Make the corpus in ``folder``; a complete new corpus replaces the old one.

    The layout is GRID's. In addition, ``script.parquet`` has a row per frame: speaker, name, frame, ``opening`` and
    ``width`` of the mouth in frame pixels, and whether the lips are ``closed``. ``contact_sheet.png`` shows the
    speakers. The bytes depend on ``params`` alone.
    """
    plans = plan_clips(params)
    unfinished = folder.with_name(f".{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    target = unfinished.absolute()
    tasks: list[workers.Task] = [(make_clip, (plan, target), {}) for plan in plans]
    try:
        with closing(workers.run(tasks, min(jobs, len(plans)), ordered=True, shared_paths=[target])) as results:
            scripts = list(with_progress(results, "sample corpus", len(plans)))
        script = pd.concat(scripts, ignore_index=True)
        script.to_parquet(unfinished / "script.parquet", index=False)
        _draw_contact_sheet(script, unfinished)
        if folder.exists():
            shutil.rmtree(folder)
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def plan_clips(params: SyntheticParams) -> list[ClipPlan]:
    """All clips, speaker by speaker. No sentence occurs twice."""
    rng = np.random.default_rng((params.seed, Stream.SENTENCES))
    sentences = draw_sentences(params.speakers * params.sentences, rng)
    appearances = draw_appearances(params.speakers, params.seed)
    return [
        ClipPlan(appearances[number // params.sentences], sentence, seed=(params.seed, Stream.CLIPS, number))
        for number, sentence in enumerate(sentences)
    ]


def _draw_contact_sheet(script: pd.DataFrame, folder: Path) -> None:
    """Write ``contact_sheet.png``: a row per speaker, from closed lips to the widest opening of the first clip."""
    step, firsts = _SIDE + _GAP, script.drop_duplicates("speaker")[:_ROWS]
    sheet = np.full((_GAP + len(firsts) * step, _GAP + len(_OPENINGS) * step, 3), 255, np.uint8)
    for i, (speaker, name) in enumerate(zip(firsts["speaker"], firsts["name"], strict=True)):
        opening_T = script.loc[(script["speaker"] == speaker) & (script["name"] == name), "opening"].to_numpy()
        with av.open(str(folder / speaker / f"{name}.mpg")) as container:
            frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        for j, share in enumerate(_OPENINGS):
            frame = frames[int(np.argmin(np.abs(opening_T - share * opening_T.max())))]
            top, left = _GAP + i * step, _GAP + j * step
            picture = cv2.resize(frame[_CROP], (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
            sheet[top : top + _SIDE, left : left + _SIDE] = picture
    Image.fromarray(sheet).save(folder / "contact_sheet.png", optimize=True)
