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
from pipeline.speech.forced_alignment import NotAligned
from pipeline.synthetic.clip import render_clip
from pipeline.synthetic.face import Face
from pipeline.synthetic.portrait import Portrait, Unusable, portrait_subject, read_portrait
from pipeline.synthetic.recordings import Recording, TriedRecording, choose_recordings, find_recordings, speak_recording
from pipeline.synthetic.sentences import Sentence, draw_sentences, draw_words
from pipeline.synthetic.speakers import Light, Stream
from pipeline.synthetic.speech import speak

PHOTOS = "photos.csv"
"""The table of photographs: photo, status, reason, clips."""
VERSION = 3
"""Raise it with every change of this package that changes a clip's bytes."""

RECORDINGS = "recordings.csv"
"""The table of recordings that were tried for clips: recording, status, reason, text. Only with recordings."""

_DONORS = 5
"""Photographs whose teeth are tried for one without visible teeth. With none of them, teeth are painted."""

_COLUMNS = ["photo", "status", "reason", "clips"]
_RECORDING_COLUMNS = ["recording", "status", "reason", "text"]
_ACCENTS = ("en-us", "en-gb-x-rp", "en-gb-scotland", "en-gb-x-gbclan", "en-029", "en-us-nyc")
_VARIANTS = (*(f"m{number}" for number in range(1, 8)), *(f"f{number}" for number in range(1, 6)))


class Recipe(NamedTuple):
    """What is the same for all photographs."""

    clips: int
    """Clips of each photograph."""
    seed: int
    """Seed of everything random."""
    smile: bool = False
    """Whether the first clip of a photograph that shows teeth begins with its smile."""


class SourcePhoto(NamedTuple):
    """A photograph of the user's folder."""

    name: str
    """Its path below the folder, without the suffix unless another photograph has the same path otherwise."""
    path: Path
    place: str
    """The folder of its clips: a hash of everything that determines their bytes."""
    recordings: list[list[Recording]]
    """The candidates of each clip that speaks a recording; the synthesiser speaks the clips after them."""
    donors: list[Path]
    """Photographs whose teeth it may get, in the order in which they are tried."""


def build_portraits(
    photos: Path,
    key: str,
    recipe: Recipe,
    folder: Path,
    jobs: int,
    voices: Path | None = None,
    synthetic: int = 0,
) -> pd.DataFrame:
    """Make the clips of all photographs in ``photos`` and its subfolders.

    Finished clips of unchanged photographs and params are kept, so an interrupted run continues. A new photograph costs
    its own clips, and those of photographs that may now get its teeth (`choose_donors`). The bytes do not depend on
    ``jobs``.

    Args:
        photos: The user's photographs.
        key: The section of params.yaml, for errors.
        recipe: What is the same for all photographs.
        folder: Where clips and tables are written.
        jobs: Worker processes.
        voices: A folder of recordings with transcripts, which the photographs speak; None: the synthesiser speaks.
        synthetic: The last clips of each photograph that the synthesiser speaks although there are recordings.

    Returns:
        The table of photographs (``PHOTOS``).

    Raises:
        PipelineError: There is no photograph or recording, or no photograph is usable.
    """
    advice = f"Put photographs there, one face each, or set {key}.root to the folder that has them."
    need_folder(photos, f"{key}.root", advice)
    paths = sorted(files_below(photos, PICTURES))
    if not paths:
        raise PipelineError(f"{key}.root: no picture ({', '.join(PICTURES)}) in {photos}. {advice}")
    hashes = hash_files(paths, jobs)
    recordings = find_recordings(voices, f"{key}.voices", jobs) if voices else []
    sources = []
    for name, path in names_below(photos, paths, f"{key}.root").items():
        chosen = choose_recordings(recordings, hashes[path] or name, recipe.clips - synthetic) if voices else []
        digests = [[recording.digest for recording in candidates] for candidates in chosen]
        donors = choose_donors(path, hashes)
        content = (VERSION, *recipe, hashes[path] or name, [hashes[donor] for donor in donors], *digests)
        sources.append(SourcePhoto(name, path, hashlib.sha256(repr(content).encode()).hexdigest()[:32], chosen, donors))
    folder.mkdir(parents=True, exist_ok=True)
    firsts: dict[str, SourcePhoto] = {}
    for photo in sources:
        firsts.setdefault(photo.place, photo)
    target = folder.absolute()
    tasks: list[workers.Task] = [(make_clips, (photo, recipe, target), {}) for photo in firsts.values()]
    results: dict[str, tuple[str, list[str]]] = {}
    running = workers.run(tasks, min(jobs, len(tasks)), shared_paths=[photos, target, *([voices] if voices else [])])
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


def make_clips(photo: SourcePhoto, recipe: Recipe, folder: Path) -> tuple[str, tuple[str, list[str]]]:
    """Make the missing clips of one photograph, in a worker process.

    Returns its name, the reason why it is unusable (empty if it is usable), and the texts of its clips.
    """
    cv2.setNumThreads(0)
    place = folder / photo.place
    refused, used = place / "refused.txt", place / RECORDINGS
    if not place.is_dir():
        unfinished = place.with_name(f".{place.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        try:
            tried = _write_clips(photo, recipe, unfinished)
            if photo.recordings:
                pd.DataFrame(tried, columns=_RECORDING_COLUMNS).to_csv(unfinished / used.name, index=False)
        except (Unusable, NotAligned) as error:
            (unfinished / refused.name).write_text(str(error), encoding="utf-8")
        unfinished.rename(place)
    if refused.exists():
        return photo.name, (refused.read_text(encoding="utf-8"), [])
    if photo.recordings:
        table = pd.read_csv(used, dtype=str, keep_default_na=False)
        spoken = table.loc[table["status"] == "ok", "text"].tolist()
    else:
        spoken = []
    drawn = [" ".join(sentence.words) for sentence in _draw_texts(photo.place, recipe)]
    return photo.name, ("", [*spoken, *drawn[len(spoken) :]])


def _write_clips(photo: SourcePhoto, recipe: Recipe, folder: Path) -> list[TriedRecording]:
    """Write the clips of a photograph to ``folder``; return rows of `RECORDINGS`.

    Raises Unusable for a photograph that cannot be used, and NotAligned when a clip has no usable recording.
    """
    voice, articulation, light, mirrored = _draw_delivery(photo.place, recipe.seed)
    portrait = read_portrait(photo.path)
    donor = None if portrait.shows_teeth else _first_donor(photo.donors)
    face = Face(portrait_subject(portrait, light, mirrored, donor))
    tried: list[TriedRecording] = []
    for number, sentence in enumerate(_draw_texts(photo.place, recipe)):
        rng = np.random.default_rng([recipe.seed, number, *bytes.fromhex(photo.place)])
        if number < len(photo.recordings):
            track, used = speak_recording(photo.recordings[number], rng)
            tried += used
        else:
            track = speak(sentence, voice, rng)
        # A smiling photograph is then also a reference from which its lips have to close.
        smile = recipe.smile and portrait.shows_teeth and number == 0
        render_clip(face, track, articulation, rng, folder / f"{number:02d}.mpg", smile=smile)
    return tried


def choose_donors(photo: Path, hashes: dict[Path, str]) -> list[Path]:
    """The candidates for the teeth of ``photo``. A new photograph changes only the clips that draw it."""

    def rank(other: Path) -> bytes:
        return hashlib.sha256(f"{hashes[photo]}\0{hashes[other]}".encode()).digest()

    return sorted((path for path in hashes if hashes[path] not in ("", hashes[photo])), key=rank)[:_DONORS]


def _first_donor(donors: list[Path]) -> Portrait | None:
    for path in donors:
        try:
            portrait = read_portrait(path)
        except Unusable:
            continue
        if portrait.can_give_teeth:
            return portrait
    return None


def _draw_delivery(place: str, seed: int) -> tuple[Voice, float, Light, bool]:
    """How a photograph speaks, the same in all of its clips: voice, articulation, light, and whether it is mirrored."""
    rng = np.random.default_rng([seed, Stream.DELIVERY, *bytes.fromhex(place)])
    name = f"{_ACCENTS[rng.integers(len(_ACCENTS))]}+{_VARIANTS[rng.integers(len(_VARIANTS))]}"
    voice = Voice(name, int(rng.integers(135, 181)), int(rng.integers(30, 71)), int(rng.integers(40, 71)))
    articulation = float(rng.uniform(0.7, 1.15))
    light = Light(float(rng.uniform(0, np.pi)), float(rng.uniform(0, 0.15)), float(rng.uniform(-0.4, 0.4)))
    return voice, articulation, light, bool(rng.integers(2))


def _draw_texts(place: str, recipe: Recipe) -> list[Sentence]:
    """What a photograph says: GRID sentences and other words alternate."""
    rng = np.random.default_rng([recipe.seed, Stream.TEXTS, *bytes.fromhex(place)])
    first = int(rng.integers(2))
    return [draw_words(rng) if (first + turn) % 2 else draw_sentences(1, rng)[0] for turn in range(recipe.clips)]


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
    tables = [path for place in sorted(current) if (path := folder / place / RECORDINGS).exists()]
    if tables:
        tried = [pd.read_csv(path, dtype=str, keep_default_na=False) for path in tables]
        together = pd.concat(tried).drop_duplicates(["recording", "text"]).sort_values(["recording", "text"])
        together.to_csv(folder / RECORDINGS, index=False, lineterminator="\n")
    else:
        (folder / RECORDINGS).unlink(missing_ok=True)
    for old in folder.iterdir():
        if old.is_dir() and old.name not in current:
            shutil.rmtree(old)


def _reasons(table: pd.DataFrame) -> str:
    counted = Counter(table.loc[table["status"] != "ok", "reason"])
    return "; ".join(f"{count}: {reason}" for reason, count in counted.most_common(5))
