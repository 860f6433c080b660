"""Clips of the user's photographs: every usable face speaks, and every other photograph gets a row with the reason."""

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
from pipeline.corpora.layout import PICTURES, names_below
from pipeline.corpora.portraits import TABLE
from pipeline.runtime import workers
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.hashes import hash_files
from pipeline.runtime.parquet import write_table
from pipeline.runtime.paths import StrPath
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


@dataclass(frozen=True)
class Delivery:
    """How a photograph speaks, the same in all of its clips."""

    voice: Voice
    articulation: float
    light: Light
    mirrored: bool


def build_portraits(photos: StrPath, key: str, clips: int, seed: int, folder: StrPath, jobs: int) -> pd.DataFrame:
    """Make the clips of all photographs.

    Finished clips of unchanged photographs and params are kept, so an interrupted run continues and a new photograph
    costs only its own clips. The bytes do not depend on ``jobs``.

    Args:
        photos: The folder of the photographs; searched with its subfolders.
        key: The corpus's section of params.yaml, for messages.
        clips: Clips per photograph.
        seed: Seed of voices, words and motion.
        folder: The folder to write.
        jobs: Worker processes.

    Returns:
        The table of photographs (``PHOTOS``).

    Raises:
        PipelineError: There is no photograph, or none is usable.
    """
    photos, folder = Path(photos), Path(folder)
    sources = _list(photos, key, clips, seed, jobs)
    folder.mkdir(parents=True, exist_ok=True)
    firsts: dict[str, str] = {}
    for photo in sources:
        firsts.setdefault(photo.place, photo.name)
    distinct = [photo for photo in sources if firsts[photo.place] == photo.name]
    target = folder.absolute()
    tasks: list[workers.Task] = [(make_clips, (photo, clips, seed, target), {}) for photo in distinct]
    results: dict[str, tuple[str, list[str]]] = {}
    running = workers.run(tasks, min(jobs, len(tasks)), ordered=True, shared_paths=[photos, target])
    with closing(running) as finished, progress("portraits", len(tasks)) as advance:
        for name, result in finished:
            results[name] = result
            advance(1)
    for photo in sources:
        first = firsts[photo.place]
        if first != photo.name:
            results[photo.name] = f"the same picture as {first}", []
    rows = [(photo.name, *results[photo.name]) for photo in sources]
    table = pd.DataFrame(
        [(name, "unusable" if reason else "ok", reason, len(texts)) for name, reason, texts in rows], columns=_COLUMNS
    )
    if not (table["status"] == "ok").any():
        raise PipelineError(f"{key}.root: no picture in {photos} can be made to speak. {_reasons(table)}")
    _write_tables(folder, table, sources, {name: texts for name, _, texts in rows})
    return table


def write_empty(folder: StrPath) -> None:
    """Write the tables without rows, for a pipeline whose corpus has no portraits."""
    folder = Path(folder)
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
    delivery, sentences = draw_delivery(photo.place, seed), draw_texts(photo.place, seed, clips)
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
        face = Face(portrait_subject(read_portrait(photo.path), delivery.light, delivery.mirrored))
        for number, sentence in enumerate(sentences):
            rng = np.random.default_rng([seed, number, *bytes.fromhex(photo.place)])
            render_clip(face, sentence, delivery.voice, delivery.articulation, rng, unfinished / f"{number:02d}.mpg")
    except Unusable as error:
        reason = str(error)
        (unfinished / refused.name).write_text(reason, encoding="utf-8")
    unfinished.rename(place)
    return photo.name, (reason, [] if reason else texts)


def draw_delivery(place: str, seed: int) -> Delivery:
    """Voice, articulation and light of a photograph."""
    rng = np.random.default_rng([seed, Stream.DELIVERY, *bytes.fromhex(place)])
    name = f"{_ACCENTS[rng.integers(len(_ACCENTS))]}+{_VARIANTS[rng.integers(len(_VARIANTS))]}"
    return Delivery(
        voice=Voice(name, int(rng.integers(135, 181)), int(rng.integers(30, 71)), int(rng.integers(40, 71))),
        articulation=float(rng.uniform(0.7, 1.15)),
        light=Light(float(rng.uniform(0, np.pi)), float(rng.uniform(0, 0.15)), float(rng.uniform(-0.4, 0.4))),
        mirrored=bool(rng.integers(2)),
    )


def draw_texts(place: str, seed: int, clips: int) -> list[Sentence]:
    """What a photograph says: GRID sentences and other words alternate."""
    rng = np.random.default_rng([seed, Stream.TEXTS, *bytes.fromhex(place)])
    first = int(rng.integers(2))
    return [draw_words(rng) if (first + turn) % 2 else draw_sentences(1, rng)[0] for turn in range(clips)]


def _list(root: Path, key: str, clips: int, seed: int, jobs: int) -> list[SourcePhoto]:
    advice = f"Put photographs there, one face each, or set {key}.root to the folder that has them."
    need_folder(root, f"{key}.root", advice)
    paths = sorted(files_below(root, PICTURES))
    if not paths:
        raise PipelineError(f"{key}.root: no picture ({', '.join(PICTURES)}) in {root}. {advice}")
    hashes = hash_files(paths, jobs)
    return [
        SourcePhoto(name, path, _place(VERSION, clips, seed, hashes[path] or name))
        for name, path in names_below(root, paths, key).items()
    ]


def _place(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def _write_tables(
    folder: Path, table: pd.DataFrame, photos: Sequence[SourcePhoto], texts: dict[str, list[str]]
) -> None:
    """Write the tables of clips and photographs, and remove clips of photographs that are gone."""
    rows = [
        (f"{photo.name}/{number:02d}", photo.name, text, f"{photo.place}/{number:02d}.mpg")
        for photo in photos
        for number, text in enumerate(texts[photo.name])
    ]
    columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)] or [pa.array([], pa.string())] * 4
    write_table(folder / TABLE, pa.table(columns, names=["id", "speaker", "text", "path"]))
    table.to_csv(folder / PHOTOS, index=False, lineterminator="\n")
    current = {photo.place for photo in photos}
    for old in folder.iterdir():
        if old.is_dir() and old.name not in current:
            shutil.rmtree(old)


def _reasons(table: pd.DataFrame) -> str:
    counted = Counter(table.loc[table["status"] != "ok", "reason"])
    return "; ".join(f"{count}: {reason}" for reason, count in counted.most_common(5))
