"""Stage extract: every clip decoded once, its speech in shards, and a manifest with a verdict for each."""

import math
from collections import Counter
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from rich import get_console

from pipeline.config.params import Extract
from pipeline.corpora.alignment import find_alignment, pack, read_alignment
from pipeline.corpora.base import Clip, Corpus
from pipeline.corpora.split import unite_equal
from pipeline.media import Damage, MediaError, probe, read_audio_blocks, sound_warnings, ticks
from pipeline.media.timeline import Join
from pipeline.prepare.manifest import ManifestRow, write_manifest
from pipeline.prepare.quality.rejections import check_losses
from pipeline.prepare.quality.thresholds import SEPARATOR, verdict
from pipeline.runtime.clock import FPS, RATE, SAMPLES_PER_FRAME
from pipeline.runtime.hashes import hash_files
from pipeline.runtime.paths import StrPath
from pipeline.runtime.time_limit import TimedOut, limited, within
from pipeline.shards.build import build_shards
from pipeline.shards.plan import UNFINISHED, Item, row_key
from pipeline.shards.read import Rows
from pipeline.shards.table import Row, array_field

VERSION = 3
"""Raised with every change of this file or of pipeline.media that changes a row's bytes."""

SILENCE = -120.0
"""Level of digital silence, dB below full scale; nothing is lower."""
_LISTEN = 1.0  # s to listen on after the end of the picture
_UNEQUAL = 0.1  # s by which sound and picture may differ in start or end without a warning
_USUAL = 0.9  # share of whole-file clips that must have the same number of frames for others to get a warning

FIELDS = [
    array_field("samples", "int16"),
    pa.field("fps", pa.float64()),
    pa.field("frames", pa.int32()),
    pa.field("audio_offset", pa.float64()),
    pa.field("heard", pa.float64()),  # s of sound that are there, silence before it included
    pa.field("level", pa.float64()),  # of the sound beside the picture, dB below full scale
    pa.field("damaged", pa.int32()),
    pa.field("damage", pa.string()),
    pa.field("unusual", pa.string()),  # on the whole file
    pa.field("error", pa.string()),
]


def decode_clip(clip: Clip, time_limit: float = 0.0) -> Row:
    """The cells of ``FIELDS``; ``samples`` are as long as the frames, ``error`` tells what is unreadable.

    Runs in worker processes. A clip that gives nothing for ``time_limit`` seconds is timed out, for this time.
    """
    row: Row = {
        "samples": np.zeros(0, np.int16),
        "fps": 0.0,
        "frames": 0,
        "audio_offset": 0.0,
        "heard": 0.0,
        "level": math.nan,
        "unusual": "",
        "error": "",
    }
    damage = Damage()
    try:
        info = within(time_limit, probe, clip.path)
        row["fps"], row["audio_offset"] = info.fps, info.audio_offset
        row["unusual"] = SEPARATOR.join(sound_warnings(clip.path))
        frames = ticks(clip.path, fps=FPS, start=clip.start, duration=clip.duration, damage=damage)
        row["frames"] = sum(1 for _ in limited(time_limit, frames))
        length = row["frames"] / FPS
        listened = length + (_LISTEN if clip.duration is None else 0)
        begin = clip.start - clip.sound_delay
        silent = min(max(0.0, -begin), listened)  # before the file's first sample, of sound that is delayed
        blocks = read_audio_blocks(
            clip.path, rate=RATE, start=max(0.0, begin), duration=listened - silent, damage=damage
        )
        samples = np.concatenate([np.zeros(round(silent * RATE), np.int16), *limited(time_limit, blocks)])
        row["heard"] = len(samples) / RATE
        wanted = row["frames"] * SAMPLES_PER_FRAME
        row["samples"] = np.pad(samples[:wanted], (0, max(0, wanted - len(samples))))
        row["level"] = _level(samples[:wanted])
        row["error"] = _joined(info.joins, clip.start, length)
    except MediaError as error:
        row["error"] = error.reason
    except TimedOut as error:
        row["error"], row["key"] = error.reason, UNFINISHED
    return {**row, "damaged": damage.concealed + damage.lost, "damage": str(damage)}


def _joined(joins: Iterable[Join], start: float, length: float) -> str:
    """Why a clip of two recordings is none; empty where none of the ``joins`` lies within it."""
    edge = 0.5 / FPS
    inside = [one for one in joins if start + edge < one.time < start + length - edge]
    if not inside:
        return ""
    return (
        "timestamps jump within the clip" if all(one.ahead for one in inside) else "timestamps restart within the clip"
    )


def _level(samples_N: NDArray[np.int16]) -> float:
    """Root mean square of the sound in dB below full scale: 0 for a square wave of full scale, ``SILENCE`` at least."""
    mean = float(np.mean(np.square(samples_N, dtype=np.float64))) if len(samples_N) else 0.0
    return max(SILENCE, 10 * math.log10(mean / 32768**2)) if mean else SILENCE


def extract(
    corpus: Corpus, params: Extract, out: StrPath, jobs: int, memory: StrPath | None = None
) -> list[ManifestRow]:
    """Write ``out``: shards of mono 16 kHz speech of all clips, and manifest.parquet. Returns the manifest's rows.

    ``memory`` is a file that spares the next run hashing what has not changed (``hash_files``).

    A row's ``duration`` is ``frames / 25``, which is also the length of its samples. Its ``reason`` says why a clip is
    rejected, or warnings what is odd about a good one. Nothing in it depends on the machine.

    Raises PipelineError when the corpus has no clips, when more than ``params.max_lost`` of them are rejected, when a
    split is left without a good clip, or when ``out`` cannot be written.
    """
    out, memory = Path(out), None if memory is None else Path(memory)
    with get_console().status("listing the clips"):
        clips, root = corpus.clips(), corpus.root
    hashes = hash_files((clip.path for clip in clips), jobs, time_limit=params.time_limit, memory=memory)
    clips = unite_equal(clips, hashes)
    items = [Item(clip.id, _key(clip, hashes[clip.path]), clip) for clip in clips]
    decode = partial(decode_clip, time_limit=params.time_limit)
    readable = next((clip.path for clip in clips if hashes[clip.path]), root)
    cells = build_shards(
        out, items, decode, FIELDS, per_shard=params.shard_clips, jobs=jobs, title="extract", shared_paths=[readable]
    )
    usual = _usual_frames(clips, cells)
    rows = []
    for clip, cell in zip(clips, cells.rows(), strict=True):
        metrics = _metrics(cell, clip)
        rejected = cell["error"] or verdict(metrics, "extract", params)
        rows.append(
            ManifestRow(
                id=clip.id,
                speaker=clip.speaker,
                split=clip.split,
                text=clip.text,
                path=clip.path.relative_to(root).as_posix(),
                sha256=hashes[clip.path],
                start=clip.start,
                fps=cell["fps"],
                **metrics,
                duration=cell["frames"] / FPS,
                audio_offset=cell["audio_offset"],
                status="rejected" if rejected else "ok",
                reason=rejected or _warnings(cell, clip, usual),
                shard=cell["shard"],
                row=cell["row"],
                words=_words(clip),
            )
        )
    check_losses((vars(row) for row in rows), params.max_lost, "extract")
    write_manifest(out, rows)  # after the check: an earlier manifest and its shards stay whole when it fails
    return rows


def _key(clip: Clip, sha256: str) -> str:
    delay = [clip.sound_delay] if clip.sound_delay else []  # rows of other clips keep the keys they had before
    return row_key(VERSION, sha256, clip.start, clip.duration, *delay)


def _words(clip: Clip) -> str:
    alignment = find_alignment(clip.path)
    return pack(read_alignment(alignment), clip.start) if alignment else ""


def _usual_frames(clips: Iterable[Clip], cells: Rows) -> int | None:
    """How many frames nearly all whole files have, as in GRID (75) and LRW (29); None where lengths vary."""
    counts = Counter(cell["frames"] for clip, cell in zip(clips, cells.rows(), strict=True) if _whole(clip))
    (frames, count) = counts.most_common(1)[0] if counts else (0, 0)
    return frames if count >= _USUAL * counts.total() and count > 1 else None


def _whole(clip: Clip) -> bool:
    return clip.duration is None and not clip.start


def _metrics(cell: Row, clip: Clip) -> dict[str, Any]:
    """What the verdict is made from, as ``ManifestRow`` describes it."""
    frames = cell["frames"]
    silent = min(max(0.0, cell["audio_offset"] - clip.start), cell["heard"])  # before the sound starts
    return {
        "frames": frames,
        "damaged": cell["damaged"] / frames if frames else math.nan,
        "level": cell["level"],
        "length_difference": math.nan if cell["error"] else cell["heard"] - silent - frames / FPS,
    }


def _warnings(cell: Row, clip: Clip, usual: int | None) -> str:
    """What is odd about a good clip; empty for an ordinary one."""
    warnings = []
    if usual and _whole(clip) and cell["frames"] != usual:
        warnings.append(f"{cell['frames']} frames where {usual} are usual")
    if cell["damage"]:
        warnings.append(f"damaged: {cell['damage']}")
    if cell["unusual"]:
        warnings.append(cell["unusual"])
    missing = cell["frames"] / FPS - cell["heard"]
    if missing > _UNEQUAL:
        warnings.append(f"the sound ends {missing:.2f} s before the picture")
    if missing < -_UNEQUAL:
        warnings.append("the sound goes on after the picture")
    if not clip.start and cell["audio_offset"] > _UNEQUAL:
        warnings.append(f"the sound starts {cell['audio_offset']:.2f} s after the picture")
    if not clip.start and cell["audio_offset"] < -_UNEQUAL:
        warnings.append(f"{-cell['audio_offset']:.2f} s of sound before the picture are left out")
    return SEPARATOR.join(warnings)
