"""Clips of the user's photographs: every usable face speaks, and every other photograph gets a row with the reason."""

import hashlib
import shutil
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline.corpora.base import files_below, need_folder
from pipeline.corpora.layout import PICTURES, names_below
from pipeline.corpora.portraits import TABLE
from pipeline.runtime import workers
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.hashes import hash_files
from pipeline.runtime.parquet import write_table
from pipeline.runtime.progress import progress
from pipeline.speech.espeak import Voice
from pipeline.synthetic.clip import render_clip
from pipeline.synthetic.face import Face
from pipeline.synthetic.portrait import Unusable, portrait_subject, read_portrait
from pipeline.synthetic.sentences import Sentence, draw_sentences, draw_words
from pipeline.synthetic.speakers import Light, Stream

PHOTOS = "photos.csv"
"""The table of photographs: photo, status, reason, clips."""
VERSION = 1
"""Raise it with every change of this package that changes a clip's bytes."""

_COLUMNS = ["photo", "status", "reason", "clips"]
_ACCENTS = ("en-us", "en-gb-x-rp", "en-gb-scotland", "en-gb-x-gbclan", "en-029", "en-us-nyc")
_VARIANTS = (*(f"m{number}" for number in range(1, 8)), *(f"f{number}" for number in range(1, 6)))


class SourcePhoto(NamedTuple):
    """A photograph of the user's folder."""

    name: str
    """Its path below the folder, without the suffix unless another photograph has the same path otherwise."""
    path: Path
    place: str
    """The folder of its clips: a hash of everything that determines their bytes."""


def build_portraits(photos: Path, key: str, clips: int, seed: int, folder: Path, jobs: int) -> pd.DataFrame:
    """Make the clips of all photographs in ``photos`` and its subfolders; ``clips`` of each.

    Finished clips of unchanged photographs and params are kept, so an interrupted run continues and a new photograph
    costs only its own clips. The bytes do not depend on ``jobs``.

    Returns the table of photographs (``PHOTOS``). Raises PipelineError, naming the section ``key`` of params.yaml, if
    there is no photograph, or none is usable.
    """
    advice = f"Put photographs there, one face each, or set {key}.root to the folder that has them."
    need_folder(photos, f"{key}.root", advice)
    paths = sorted(files_below(photos, PICTURES))
    if not paths:
        raise PipelineError(f"{key}.root: no picture ({', '.join(PICTURES)}) in {photos}. {advice}")
    hashes = hash_files(paths, jobs)
    sources = []
    for name, path in names_below(photos, paths, key).items():
        recipe = repr((VERSION, clips, seed, hashes[path] or name))
        sources.append(SourcePhoto(name, path, hashlib.sha256(recipe.encode()).hexdigest()[:32]))
    folder.mkdir(parents=True, exist_ok=True)
    firsts = {photo.place: photo for photo in reversed(sources)}
    target = folder.absolute()
    tasks: list[workers.Task] = [(make_clips, (photo, clips, seed, target), {}) for photo in firsts.values()]
    results: dict[str, tuple[str, list[str]]] = {}
    running = workers.run(tasks, min(jobs, len(tasks)), shared_paths=[photos, target])
    with closing(running) as finished, progress("portraits", len(tasks)) as advance:
        for name, result in finished:
            results[name] = result
            advance(1)
    for photo in sources:
        results.setdefault(photo.name, (f"the same picture as {firsts[photo.place].name}", []))
    rows = [(photo.name, *results[photo.name]) for photo in sources]
    table = pd.DataFrame(
        [(name, "unusable" if reason else "ok", reason, len(texts)) for name, reason, texts in rows], columns=_COLUMNS
    )
    if not (table["status"] == "ok").any():
        raise PipelineError(f"{key}.root: no picture in {photos} can be made to speak. {_reasons(table)}")
    _write_tables(folder, table, sources, {name: texts for name, _, texts in rows})
    return table


def write_empty(folder: Path) -> None:
    """Write the tables without rows, for a pipeline whose corpus has no portraits."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _write_tables(folder, pd.DataFrame(columns=_COLUMNS), [], {})


def summary(table: pd.DataFrame) -> str:
    """A line with the number of usable photographs and the reasons of the others."""
    good = int((table["status"] == "ok").sum())
    return f"{good} of {len(table)} photographs speak. {_reasons(table)}".rstrip()


def make_clips(photo: SourcePhoto, clips: int, seed: int, folder: Path) -> tuple[str, tuple[str, list[str]]]:
    """Make the missing clips of one photograph, in a worker process.

    Returns its name, the reason why it is unusable (empty if it is usable), and the texts of its clips.
    """
    cv2.setNumThreads(0)
    place = folder / photo.place
    sentences = _draw_texts(photo.place, seed, clips)
    refused = place / "refused.txt"
    if not place.is_dir():
        unfinished = place.with_name(f".{place.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        voice, articulation, light, mirrored = _draw_delivery(photo.place, seed)
        try:
            face = Face(portrait_subject(read_portrait(photo.path), light, mirrored))
            for number, sentence in enumerate(sentences):
                rng = np.random.default_rng([seed, number, *bytes.fromhex(photo.place)])
                render_clip(face, sentence, voice, articulation, rng, unfinished / f"{number:02d}.mpg")
        except Unusable as error:
            (unfinished / refused.name).write_text(str(error), encoding="utf-8")
        unfinished.rename(place)
    reason = refused.read_text(encoding="utf-8") if refused.exists() else ""
    return photo.name, (reason, [] if reason else [" ".join(sentence.words) for sentence in sentences])


def _draw_delivery(place: str, seed: int) -> tuple[Voice, float, Light, bool]:
    """How a photograph speaks, the same in all of its clips: voice, articulation, light, and whether it is mirrored."""
    rng = np.random.default_rng([seed, Stream.DELIVERY, *bytes.fromhex(place)])
    name = f"{_ACCENTS[rng.integers(len(_ACCENTS))]}+{_VARIANTS[rng.integers(len(_VARIANTS))]}"
    voice = Voice(name, int(rng.integers(135, 181)), int(rng.integers(30, 71)), int(rng.integers(40, 71)))
    articulation = float(rng.uniform(0.7, 1.15))
    light = Light(float(rng.uniform(0, np.pi)), float(rng.uniform(0, 0.15)), float(rng.uniform(-0.4, 0.4)))
    return voice, articulation, light, bool(rng.integers(2))


def _draw_texts(place: str, seed: int, clips: int) -> list[Sentence]:
    """What a photograph says: GRID sentences and other words alternate."""
    rng = np.random.default_rng([seed, Stream.TEXTS, *bytes.fromhex(place)])
    first = int(rng.integers(2))
    return [draw_words(rng) if (first + turn) % 2 else draw_sentences(1, rng)[0] for turn in range(clips)]


def _write_tables(folder: Path, table: pd.DataFrame, photos: list[SourcePhoto], texts: dict[str, list[str]]) -> None:
    """Write the tables of clips and photographs, and remove clips of photographs that are gone."""
    clips: dict[str, list[str]] = {"id": [], "speaker": [], "text": [], "path": []}
    for photo in photos:
        for number, text in enumerate(texts[photo.name]):
            row = (f"{photo.name}/{number:02d}", photo.name, text, f"{photo.place}/{number:02d}.mpg")
            for column, cell in zip(clips.values(), row, strict=True):
                column.append(cell)
    write_table(folder / TABLE, pa.table(clips, schema=pa.schema([(name, pa.string()) for name in clips])))
    table.to_csv(folder / PHOTOS, index=False, lineterminator="\n")
    current = {photo.place for photo in photos}
    for old in folder.iterdir():
        if old.is_dir() and old.name not in current:
            shutil.rmtree(old)


def _reasons(table: pd.DataFrame) -> str:
    counted = Counter(table.loc[table["status"] != "ok", "reason"])
    return "; ".join(f"{count}: {reason}" for reason, count in counted.most_common(5))
