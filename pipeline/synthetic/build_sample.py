"""The sample corpus: synthetic speakers say GRID sentences."""

import shutil
from contextlib import closing
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from rich.progress import track

from pipeline.corpora.sample import SyntheticParams
from pipeline.runtime import workers
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath
from pipeline.synthetic.clip import ClipPlan, make_clip
from pipeline.synthetic.sentences import draw_sentences
from pipeline.synthetic.speakers import Stream, draw_appearances

_ROWS = 8  # speakers in the contact sheet, at most
_OPENINGS = (0.0, 0.3, 0.5, 0.75, 1.0)  # columns: shares of the clip's largest mouth opening
_CROP = (slice(8, 248), slice(60, 300))
_SIDE, _GAP = 132, 4


def build_synthetic(params: SyntheticParams, folder: StrPath, jobs: int) -> None:
    """Make the corpus in ``folder``; a complete new corpus replaces the old one.

    The layout is GRID's. In addition, ``script.parquet`` has a row per frame: speaker, name, frame, ``opening`` and
    ``width`` of the mouth in frame pixels, and whether the lips are ``closed``. ``contact_sheet.png`` shows the
    speakers. The bytes depend on ``params`` alone.

    Raises:
        PipelineError: The params are out of range, or ask for more sentences than the grammar has.
    """
    folder = Path(folder)
    plans = plan_clips(params)
    unfinished = folder.with_name(f".{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    target = unfinished.absolute()
    tasks: list[workers.Task] = [(make_clip, (plan, target), {}) for plan in plans]
    try:
        with closing(workers.run(tasks, min(jobs, len(plans)), ordered=True, shared_paths=[target])) as results:
            scripts = list(track(results, description="sample corpus", total=len(plans)))
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
    for key in ("speakers", "sentences"):
        if getattr(params, key) < 1:
            raise PipelineError(f"corpora.sample.{key} is {getattr(params, key)}. It must be at least 1.")
    if params.seed < 0:
        raise PipelineError(f"corpora.sample.seed is {params.seed}. It must be 0 or more.")
    rng = np.random.default_rng((params.seed, Stream.SENTENCES))
    sentences = draw_sentences(params.speakers * params.sentences, rng)
    appearances = draw_appearances(params.speakers, params.seed)
    return [
        ClipPlan(appearances[number // params.sentences], sentence, seed=(params.seed, Stream.CLIPS, number))
        for number, sentence in enumerate(sentences)
    ]


def _draw_contact_sheet(script: pd.DataFrame, folder: Path) -> None:
    """Write ``contact_sheet.png``: a row per speaker, from closed lips to the widest opening of the first clip."""
    rows = []
    for speaker in script["speaker"].unique()[:_ROWS]:
        clip = script[script["speaker"] == speaker]
        clip = clip[clip["name"] == clip["name"].iloc[0]]
        opening_T = clip["opening"].to_numpy()
        chosen = [int(np.argmin(np.abs(opening_T - share * opening_T.max()))) for share in _OPENINGS]
        frames = _read_frames(folder / speaker / f"{clip['name'].iloc[0]}.mpg", max(chosen) + 1)
        rows.append([cv2.resize(frames[t][_CROP], (_SIDE, _SIDE), interpolation=cv2.INTER_AREA) for t in chosen])
    sheet = np.full((_offset(len(rows)), _offset(len(_OPENINGS)), 3), 255, np.uint8)
    for i, row in enumerate(rows):
        for j, picture in enumerate(row):
            top, left = _offset(i), _offset(j)
            sheet[top : top + _SIDE, left : left + _SIDE] = picture
    Image.fromarray(sheet).save(folder / "contact_sheet.png", optimize=True)


def _offset(count: int) -> int:
    return _GAP + count * (_SIDE + _GAP)


def _read_frames(path: Path, count: int) -> list[NDArray[np.uint8]]:
    with av.open(str(path)) as container:
        decoded = islice(container.decode(video=0), count)
        return [np.array(frame.to_ndarray(format="rgb24"), np.uint8) for frame in decoded]
