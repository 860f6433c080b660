"""Recorded speech with transcripts, which photographs speak in place of the synthesiser."""

import csv
import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.signal import resample_poly

from pipeline.corpora.base import files_below, need_folder
from pipeline.media.read import read_audio_blocks
from pipeline.runtime import clock
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.hashes import hash_files
from pipeline.speech.forced_alignment import Alignment, NotAligned, align
from pipeline.speech.phonemes import Segment
from pipeline.synthetic.speech import LOUDNESS, RATE, SECONDS, SoundTrack, in_room

TRANSCRIPTS = "transcripts.tsv"
"""Tables below the folder, without a header: path relative to the table, speaker, language, text."""
CANDIDATES = 8
"""Recordings that are tried for a clip until one can be aligned."""

_LONGEST = 20  # seconds of a recording that are read; the transcript of a longer one does not fit
_LEAD = 0.15, 0.4  # shortest and longest time before the first word, in seconds


class Recording(NamedTuple):
    """A sound file and its transcript."""

    name: str
    """Its path below the folder of recordings."""
    path: Path
    speaker: str
    text: str
    digest: str
    """A hash of sound and text."""


TriedRecording = tuple[str, str, str, str]
"""A recording that was tried for a clip: its name, ok or unusable, the reason, and the whole words in the clip."""


def find_recordings(folder: Path, key: str, jobs: int) -> list[Recording]:
    """The English recordings in the transcripts of ``folder``, by name.

    Raises PipelineError, naming the parameter ``key``, if there are none, or a table or sound file cannot be read.
    """
    advice = f"Each line of a {TRANSCRIPTS} is: path, speaker, language, text, separated by tabs."
    need_folder(folder, key, advice)
    tables = [path for path in sorted(files_below(folder, (".tsv",))) if path.name == TRANSCRIPTS]
    rows = [(table.parent / cells[0], *cells[1:]) for table in tables for cells in _cells(table, advice)]
    rows = [row for row in rows if row[2].startswith("en")]
    if not rows:
        raise PipelineError(f"{key}: no {TRANSCRIPTS} with English recordings in {folder}. {advice}")
    for path, *_ in rows:
        if not path.is_relative_to(folder):
            advice = f"Move it there, and give its path relative to the {TRANSCRIPTS}."
            raise PipelineError(f"{path} is in a {TRANSCRIPTS}, but not below {folder}. {advice}")
    hashes = hash_files([row[0] for row in rows], jobs)
    missing = [path for path, digest in hashes.items() if not digest]
    if missing:
        raise PipelineError(f"{missing[0]} is in {TRANSCRIPTS}, but cannot be read. Restore it or remove its line.")
    found = [
        Recording(
            path.relative_to(folder).as_posix(),
            path.absolute(),
            speaker,
            text,
            hashlib.sha256(f"{hashes[path]}\0{text}".encode()).hexdigest(),
        )
        for path, speaker, _, text in rows
    ]
    return sorted(found)


def choose_recordings(recordings: list[Recording], photograph: str, clips: int) -> list[list[Recording]]:
    """The candidates of each clip of a photograph, in the order in which they are tried, each by another speaker.

    All speakers are equally likely, whatever the number of their recordings. A new recording changes only the clips
    that draw it.
    """

    def rank(clip: int, name: str) -> bytes:
        return hashlib.sha256(f"{photograph}\0{clip}\0{name}".encode()).digest()

    chosen = []
    for clip in range(clips):
        first: dict[str, Recording] = {}
        for recording in sorted(recordings, key=lambda recording: rank(clip, recording.digest)):
            first.setdefault(recording.speaker, recording)
        speakers = sorted(first, key=lambda speaker: rank(clip, speaker))
        chosen.append([first[speaker] for speaker in speakers[:CANDIDATES]])
    return chosen


def speak_recording(candidates: list[Recording], rng: np.random.Generator) -> tuple[SoundTrack, list[TriedRecording]]:
    """Three seconds of the first of ``candidates`` that can be used, and all recordings that were tried.

    A recording can be used if it can be read and aligned. Raises NotAligned if none can be used.
    """
    tried: list[TriedRecording] = []
    for recording in candidates:
        try:
            blocks = read_audio_blocks(recording.path, duration=_LONGEST, by_itself=True)
            samples_N = np.concatenate([np.zeros(0, np.int16), *blocks])
            track = cut_track(samples_N, align(samples_N, recording.text), rng)
        except PipelineError as error:
            tried.append((recording.name, "unusable", error.without_subject, ""))
        except NotAligned as error:
            tried.append((recording.name, "unusable", str(error), ""))
        else:
            return track, [*tried, (recording.name, "ok", "", " ".join(word.label for word in track.words))]
    name, _, reason, _ = tried[0]
    raise NotAligned(f"no recording can be used of {len(tried)} tried, such as {name}: {reason}")


def cut_track(samples_N: NDArray[np.int16], alignment: Alignment, rng: np.random.Generator) -> SoundTrack:
    """Three seconds of a recording (N,) at 16 kHz, from just before a random word, with faint noise.

    Only the noise is heard before and after the recording. Words that the ends of the clip cut are left out.
    """
    last = max(0.0, alignment.words[-1].end - SECONDS)
    starts = [word.start for word in alignment.words if word.start <= last] or [alignment.words[0].start]
    begin = round((starts[rng.integers(len(starts))] - rng.uniform(*_LEAD)) * 100) / 100
    first = round(begin * clock.RATE)
    heard_N = samples_N[max(0, first) : max(0, first + round(SECONDS * clock.RATE))]
    speech_N = resample_poly(heard_N / 32768.0, RATE, clock.RATE)
    speech_N *= LOUDNESS / max(1e-4, float(np.sqrt(np.mean(speech_N**2))))
    return SoundTrack(
        samples_N=in_room(speech_N, max(0, -first) * RATE // clock.RATE, rng),
        phonemes=tuple(segment for segment in _shifted(alignment.phonemes, begin) if segment.end > 0),
        words=tuple(word for word in _shifted(alignment.words, begin) if word.start >= 0 and word.end <= SECONDS),
    )


def _cells(table: Path, advice: str) -> list[tuple[str, str, str, str]]:
    try:
        frame = pd.read_csv(table, sep="\t", header=None, dtype=str, quoting=csv.QUOTE_NONE, keep_default_na=False)
    except pd.errors.EmptyDataError:
        return []
    except (OSError, ValueError) as error:  # pandas' other errors of parsing are ValueErrors
        raise PipelineError(f"{table} cannot be read as a table ({error}). {advice}") from error
    if frame.shape[1] != 4:
        raise PipelineError(f"{table} has {frame.shape[1]} columns. {advice}")
    return list(frame.itertuples(index=False, name=None))


def _shifted(segments: tuple[Segment, ...], begin: float) -> list[Segment]:
    return [Segment(segment.label, segment.start - begin, segment.end - begin) for segment in segments]
