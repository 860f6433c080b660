"""Stage extract: decode every clip once; write its speech into shards and its verdict into the manifest."""

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
from pipeline.corpora.split import unite_copies
from pipeline.media import Damage, MediaError, probe, read_audio_blocks, sound_warnings, ticks
from pipeline.media.timeline import Join
from pipeline.prepare.manifest import ManifestRow, write_manifest
from pipeline.prepare.quality.limits import SEPARATOR, check_losses, verdict
from pipeline.runtime.clock import FPS, RATE, SAMPLES_PER_FRAME
from pipeline.runtime.hashes import hash_files
from pipeline.runtime.time_limit import TimedOut, limited, within
from pipeline.shards.build import build_shards
from pipeline.shards.plan import UNFINISHED, Item, row_key
from pipeline.shards.read import Rows
from pipeline.shards.table import Row, array_field

VERSION = 3
"""Raise it with every change of this file or of pipeline.media that changes a row's bytes."""

SILENCE = -120.0
"""Level of digital silence in dB below full scale, the lowest value."""
_BEYOND = 1.0  # seconds of sound that are read beyond the picture
_TOLERANCE = 0.1  # seconds that start or end of sound and picture may differ without a warning
_USUAL = 0.9  # share of whole files with equally many frames from which others get a warning

FIELDS = [
    array_field("samples", "int16"),
    pa.field("fps", pa.float64()),
    pa.field("frames", pa.int32()),
    pa.field("audio_offset", pa.float64()),
    pa.field("heard", pa.float64()),  # seconds of sound, with the silence before it
    pa.field("level", pa.float64()),  # of the sound during the picture, dB below full scale
    pa.field("damaged", pa.int32()),
    pa.field("damage", pa.string()),
    pa.field("unusual", pa.string()),  # about the whole file
    pa.field("error", pa.string()),
]


def decode_clip(clip: Clip, time_limit: float = 0.0) -> Row:
    """The cells of ``FIELDS``, in a worker process. ``samples`` are as long as the frames; ``error`` says what fails.

    A clip that decodes to nothing for ``time_limit`` seconds is given up until the next run.
    """
    row: Row = {"samples": np.zeros(0, np.int16), "frames": 0, "level": math.nan, "unusual": "", "error": ""}
    row |= dict.fromkeys(("fps", "audio_offset", "heard"), 0.0)
    damage = Damage()
    try:
        info = within(time_limit, probe, clip.path)
        row["fps"], row["audio_offset"] = info.fps, info.audio_offset
        row["unusual"] = SEPARATOR.join(sound_warnings(clip.path))
        frames = ticks(clip.path, start=clip.start, duration=clip.duration, damage=damage)
        row["frames"] = sum(1 for _ in limited(time_limit, frames))
        length = row["frames"] / FPS
        listened = length + (_BEYOND if clip.duration is None else 0)
        begin = clip.start - clip.sound_delay
        silent = min(max(0.0, -begin), listened)  # delayed sound starts with silence
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
    """The error of a clip that contains two recordings; empty if no join lies within it."""
    edge = 0.5 / FPS
    ahead = [join.ahead for join in joins if start + edge < join.time < start + length - edge]
    return f"timestamps {'jump' if all(ahead) else 'restart'} within the clip" if ahead else ""


def _level(samples_N: NDArray[np.int16]) -> float:
    """RMS level in dB below full scale: 0 for a full-scale square wave, at least ``SILENCE``."""
    mean = float(np.mean(np.square(samples_N, dtype=np.float64))) if len(samples_N) else 0.0
    return max(SILENCE, 10 * math.log10(mean / 32768**2)) if mean else SILENCE


def extract(corpus: Corpus, params: Extract, out: Path, jobs: int, memory: Path | None = None) -> list[ManifestRow]:
    """Write shards of the clips' speech (mono, 16 kHz), and manifest.parquet, into the folder ``out``.

    ``memory`` is a file that keeps the hashes of unchanged videos for the next run (``hash_files``).

    Returns the manifest's rows. The ``reason`` of a rejected clip is why; that of a good clip has warnings. Raises
    PipelineError if the corpus has no clips, more than ``params.max_lost`` of them are rejected, a split has no good
    clip left, or ``out`` cannot be written.
    """
    with get_console().status("listing the clips"):
        clips, root = corpus.clips(), corpus.root
    hashes = hash_files((clip.path for clip in clips), jobs, time_limit=params.time_limit, memory=memory)
    clips = unite_copies(clips, hashes)
    items = []
    for clip in clips:
        delay = [clip.sound_delay] if clip.sound_delay else []  # other clips keep the keys of older rows
        key = row_key(VERSION, hashes[clip.path], clip.start, clip.duration, *delay)
        items.append(Item(clip.id, key, clip))
    decode = partial(decode_clip, time_limit=params.time_limit)
    readable = next((clip.path for clip in clips if hashes[clip.path]), root)
    cells = build_shards(
        out, items, decode, FIELDS, per_shard=params.shard_clips, jobs=jobs, title="extract", shared_paths=[readable]
    )
    usual = _usual_frames(clips, cells)
    rows = []
    for clip, cell in zip(clips, cells.rows(), strict=True):
        metrics, alignment = _metrics(cell, clip), find_alignment(clip.path)
        rejected = cell["error"] or verdict(metrics, "extract", params)
        rows.append(
            ManifestRow(
                **{name: getattr(clip, name) for name in ("id", "speaker", "split", "text", "start")},
                **{name: cell[name] for name in ("fps", "audio_offset", "shard", "row")},
                path=clip.path.relative_to(root).as_posix(),
                sha256=hashes[clip.path],
                **metrics,
                duration=cell["frames"] / FPS,
                status="rejected" if rejected else "ok",
                reason=rejected or _warnings(cell, clip, usual),
                words=pack(read_alignment(alignment), clip.start) if alignment else "",
            )
        )
    check_losses((vars(row) for row in rows), params.max_lost, "extract")
    write_manifest(out, rows)  # after the check, so that a failure leaves an earlier manifest and its shards intact
    return rows


def _usual_frames(clips: Iterable[Clip], cells: Rows) -> int | None:
    """The frames of nearly all whole files, as in GRID (75) and LRW (29); None if lengths vary."""
    counts = Counter(cell["frames"] for clip, cell in zip(clips, cells.rows(), strict=True) if _whole(clip))
    (frames, count) = counts.most_common(1)[0] if counts else (0, 0)
    return frames if count >= _USUAL * counts.total() and count > 1 else None


def _whole(clip: Clip) -> bool:
    return clip.duration is None and not clip.start


def _metrics(cell: Row, clip: Clip) -> dict[str, Any]:
    """The metrics, as described in ``ManifestRow``."""
    frames = cell["frames"]
    silent = min(max(0.0, cell["audio_offset"] - clip.start), cell["heard"])  # before the file's sound starts
    return {
        "frames": frames,
        "damaged": cell["damaged"] / frames if frames else math.nan,
        "level": cell["level"],
        "length_difference": math.nan if cell["error"] else cell["heard"] - silent - frames / FPS,
    }


def _warnings(cell: Row, clip: Clip, usual: int | None) -> str:
    """Warnings about a good clip; empty for an ordinary one."""
    missing, offset = cell["frames"] / FPS - cell["heard"], cell["audio_offset"]
    at_start = not clip.start
    warnings = {
        f"{cell['frames']} frames where {usual} are usual": usual and _whole(clip) and cell["frames"] != usual,
        f"damaged: {cell['damage']}": cell["damage"],
        cell["unusual"]: cell["unusual"],
        f"the sound ends {missing:.2f} s before the picture": missing > _TOLERANCE,
        "the sound goes on after the picture": missing < -_TOLERANCE,
        f"the sound starts {offset:.2f} s after the picture": at_start and offset > _TOLERANCE,
        f"{-offset:.2f} s of sound before the picture are left out": at_start and offset < -_TOLERANCE,
    }
    return SEPARATOR.join(text for text, applies in warnings.items() if applies)
