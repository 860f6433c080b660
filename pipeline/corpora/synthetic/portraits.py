"""A folder of photographs made to speak: clips of every face that can, and a row with the reason of every other."""

import hashlib
import shutil
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline.corpora.base import files_below, need_folder
from pipeline.corpora.portraits import TABLE
from pipeline.corpora.synthetic.appearance import Light
from pipeline.corpora.synthetic.clip import render_clip
from pipeline.corpora.synthetic.face import Face
from pipeline.corpora.synthetic.grammar import Sentence, draw_sentences
from pipeline.corpora.synthetic.portrait import Unusable, read_portrait, subject_of
from pipeline.corpora.synthetic.words import draw_words
from pipeline.runtime import workers as parallel
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import write_table
from pipeline.runtime.hashes import hash_files
from pipeline.runtime.paths import StrPath
from pipeline.runtime.progress import progress
from pipeline.speech.espeak import Voice

PHOTOS = "photos.csv"
"""Of all photographs: photo, status, reason, clips."""
PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".avif", ".heic")
VERSION = 1
"""Raised with every change of this room that changes a clip's bytes."""

_ACCENTS = ("en-us", "en-gb-x-rp", "en-gb-scotland", "en-gb-x-gbclan", "en-029", "en-us-nyc")
_VARIANTS = (*(f"m{number}" for number in range(1, 8)), *(f"f{number}" for number in range(1, 6)))


class Photo(NamedTuple):
    """A photograph of the folder."""

    name: str
    """Its path below the folder without the suffix, or with it where that is needed to tell it from another."""
    path: Path
    place: str
    """The folder of its clips, named by what they are made of."""


@dataclass(frozen=True)
class Take:
    """What of a speaker changes from photograph to photograph."""

    voice: Voice
    articulation: float
    light: Light
    mirrored: bool


def build_portraits(photos: StrPath, key: str, clips: int, seed: int, folder: StrPath, jobs: int) -> pd.DataFrame:
    """Make ``clips`` clips of each photograph below ``photos`` in ``folder``; the table of photographs.

    Folders of clips that are there already, of the same bytes and params, are kept, so an interrupted run goes on, and
    a photograph more costs that one alone. The same photographs and params give the same bytes with any number of
    ``jobs``. Raises PipelineError, naming the section ``key`` of params.yaml, where there is no photograph, or none can
    be used.
    """
    photos, folder = Path(photos), Path(folder)
    found = _list(photos, key, clips, seed, jobs)
    folder.mkdir(parents=True, exist_ok=True)
    firsts: dict[str, str] = {}
    for photo in found:
        firsts.setdefault(photo.place, photo.name)
    own = [photo for photo in found if firsts[photo.place] == photo.name]
    tasks: list[parallel.Task] = [(make_clips, (photo, clips, seed, folder.absolute()), {}) for photo in own]
    with closing(
        parallel.run(tasks, min(jobs, len(tasks)), ordered=True, shared_paths=[photos, folder.absolute()])
    ) as made:
        results = {}
        with progress("portraits", len(tasks)) as advance:
            for name, result in made:
                results[name] = result
                advance(1)
    rows = []
    for photo in found:
        first = firsts[photo.place]
        rows.append((photo.name, *(results[first] if first == photo.name else (f"the same picture as {first}", []))))
    table = pd.DataFrame(
        [(name, "unusable" if reason else "ok", reason, len(texts)) for name, reason, texts in rows],
        columns=["photo", "status", "reason", "clips"],
    )
    if not (table["status"] == "ok").any():
        raise PipelineError(f"{key}.root: no picture in {photos} can be made to speak. {_reasons(table)}")
    _write_tables(folder, table, found, {name: texts for name, _, texts in rows})
    return table


def write_empty(folder: StrPath) -> None:
    """The tables without a row, for a pipeline whose corpus has no portraits."""
    folder = Path(folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _write_tables(folder, pd.DataFrame(columns=["photo", "status", "reason", "clips"]), [], {})


def summary(table: pd.DataFrame) -> str:
    """How many photographs speak, and why others do not, in a line."""
    good = int((table["status"] == "ok").sum())
    return f"{good} of {len(table)} photographs speak. {_reasons(table)}".rstrip()


def make_clips(photo: Photo, clips: int, seed: int, folder: Path) -> tuple[str, tuple[str, list[str]]]:
    """Make the clips of one photograph, unless they are there; its name, why it cannot be used, and their texts.

    Runs in worker processes.
    """
    cv2.setNumThreads(0)
    place = folder / photo.place
    take, sentences = draw_take(photo.place, seed), draw_texts(photo.place, seed, clips)
    texts = [" ".join(sentence.words) for sentence in sentences]
    refused = place / "refused.txt"
    if place.is_dir():
        reason = refused.read_text(encoding="utf-8") if refused.exists() else ""
        return photo.name, (reason, [] if reason else texts)
    unfinished = place.with_name(f".{place.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    reason = ""
    try:
        face = Face(subject_of(read_portrait(photo.path), take.light, take.mirrored))
        for number, sentence in enumerate(sentences):
            rng = np.random.default_rng([seed, number, *bytes.fromhex(photo.place)])
            render_clip(face, sentence, take.voice, take.articulation, rng, unfinished / f"{number:02d}.mpg")
    except Unusable as error:
        reason = str(error)
        (unfinished / refused.name).write_text(reason, encoding="utf-8")
    unfinished.rename(place)
    return photo.name, (reason, [] if reason else texts)


def draw_take(place: str, seed: int) -> Take:
    """Voice, manner and light of a photograph."""
    rng = np.random.default_rng([seed, 1000, *bytes.fromhex(place)])
    name = f"{_ACCENTS[rng.integers(len(_ACCENTS))]}+{_VARIANTS[rng.integers(len(_VARIANTS))]}"
    return Take(
        voice=Voice(name, int(rng.integers(135, 181)), int(rng.integers(30, 71)), int(rng.integers(40, 71))),
        articulation=float(rng.uniform(0.7, 1.15)),
        light=Light(float(rng.uniform(0, np.pi)), float(rng.uniform(0, 0.15)), float(rng.uniform(-0.4, 0.4))),
        mirrored=bool(rng.integers(2)),
    )


def draw_texts(place: str, seed: int, clips: int) -> list[Sentence]:
    """What a photograph says: sentences of GRID's grammar and other words in turn."""
    rng = np.random.default_rng([seed, 1001, *bytes.fromhex(place)])
    first = int(rng.integers(2))
    return [draw_words(rng) if (first + turn) % 2 else draw_sentences(1, rng)[0] for turn in range(clips)]


def _list(root: Path, key: str, clips: int, seed: int, jobs: int) -> list[Photo]:
    advice = f"Put photographs there, one face each, or set {key}.root to the folder that has them."
    need_folder(root, f"{key}.root", advice)
    paths = sorted(files_below(root, PICTURES))
    if not paths:
        raise PipelineError(f"{key}.root: no picture ({', '.join(PICTURES)}) in {root}. {advice}")
    below = [path.relative_to(root) for path in paths]
    stems = Counter(path.with_suffix("") for path in below)
    names = [(one.with_suffix("") if stems[one.with_suffix("")] == 1 else one).as_posix() for one in below]
    hashes = hash_files(paths, jobs)
    return [
        Photo(name, path, _place(VERSION, clips, seed, hashes[path] or name))
        for name, path in zip(names, paths, strict=True)
    ]


def _place(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def _write_tables(folder: Path, table: pd.DataFrame, photos: Sequence[Photo], texts: dict[str, list[str]]) -> None:
    rows = [
        (f"{photo.name}/{number:02d}", photo.name, text, f"{photo.place}/{number:02d}.mpg")
        for photo in photos
        for number, text in enumerate(texts[photo.name])
    ]
    columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)] or [pa.array([], pa.string())] * 4
    write_table(folder / TABLE, pa.table(columns, names=["id", "speaker", "text", "path"]))
    table.to_csv(folder / PHOTOS, index=False, lineterminator="\n")
    wanted = {photo.place for photo in photos}
    for old in folder.iterdir():
        if old.is_dir() and old.name not in wanted:
            shutil.rmtree(old)


def _reasons(table: pd.DataFrame) -> str:
    counted = Counter(table.loc[table["status"] != "ok", "reason"])
    return "; ".join(f"{count}: {reason}" for reason, count in counted.most_common(5))
