"""Stage landmarks: the 68 points, alignment, face crops and quality metrics of every clip, in shards."""

import logging
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import cv2
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.config.params import Landmarks
from pipeline.faces.align import align
from pipeline.faces.crop import SIZE, crop_face, encode_jpeg, onto_crop, rescale, to_crop
from pipeline.faces.quality import measure_quality
from pipeline.faces.replay import Replay
from pipeline.faces.track import track_face
from pipeline.media import MediaError, read_frames
from pipeline.prepare.manifest import ManifestRow
from pipeline.prepare.quality.limits import check_losses, limits_of, verdict
from pipeline.runtime.clock import FPS
from pipeline.runtime.time_limit import TimedOut, limited
from pipeline.shards.build import build_shards, write_index
from pipeline.shards.plan import UNFINISHED, Item, row_key
from pipeline.shards.read import read_row
from pipeline.shards.table import Row, array_field, jpeg_field

log = logging.getLogger(__name__)

VERSION = 6
"""Raise it with every change of this file, of pipeline.faces or of decoding that changes a row's bytes."""

_LIMITS = limits_of("landmarks")

FIELDS = [
    array_field("points", "float32", 68, 2),
    array_field("transform", "float32", 2, 3),
    array_field("found", "bool"),
    jpeg_field("jpeg"),
    pa.field("frames", pa.int32()),
    *(pa.field(limit.metric, pa.float64()) for limit in _LIMITS),
    pa.field("error", pa.string()),
]


class _Source(NamedTuple):
    """Where a clip's frames are; ``sound`` is the shard of data/clips and the row with its samples."""

    path: Path
    start: float
    frames: int
    sound: tuple[Path, int]


def compute_faces(source: _Source, params: Landmarks, time_limit: float) -> Row:
    """The cells of ``FIELDS``, in a worker process. A clip without a face has empty arrays and an ``error``.

    A clip that has no frame for ``time_limit`` seconds (0: no limit) is given up until the next run.
    """
    cv2.setNumThreads(0)  # every worker has one core
    size, seconds = params.size, source.frames / FPS

    def read() -> Iterator[NDArray[np.uint8]]:
        return limited(time_limit, read_frames(source.path, start=source.start, duration=seconds))

    frames = Replay(read, source.frames)
    try:
        track = track_face(frames, params.detect_every, params.face)
        if not track.found_T.any():
            return _empty("no face found in any frame")
        transforms = align(track.points_T68x2, per_frame=params.alignment == "frame", smoothing=params.smoothing)
        stored = onto_crop(transforms, size)
        # Metrics use crops of 128 pixels, whatever the size of the stored ones.
        crops, files = np.empty((len(transforms), SIZE, SIZE, 3), np.uint8), []
        for number, (frame, transform) in enumerate(zip(frames, stored, strict=True)):
            crops[number] = crop_face(frame, transforms[number])
            crop = crops[number] if size == SIZE else crop_face(frame, transform, size)
            files.append(encode_jpeg(crop, params.jpeg_quality))
    except MediaError as error:
        return _empty(error.reason)
    except TimedOut as error:
        return {**_empty(error.reason), "key": UNFINISHED}
    points = to_crop(track.points_T68x2, transforms)
    samples = read_row(*source.sound, ["samples"])["samples"]
    return {
        "points": rescale(points, SIZE, size),  # in pixels of the stored crop
        "transform": stored,
        "found": track.found_T,
        "jpeg": files,
        "frames": len(crops),
        **measure_quality(track, points, transforms, crops, frames.size, samples),
        "error": "",
    }


def _empty(error: str) -> Row:
    return {
        "points": np.zeros((0, 68, 2)),
        "transform": np.zeros((0, 2, 3)),
        "found": np.zeros(0),
        "jpeg": [],
        "frames": 0,
        **{limit.metric: limit.without_face for limit in _LIMITS},
        "error": error,
    }


_INDEX = ("id", "speaker", "split", "frames", "status", "shard", "row")
_SCHEMA = pa.schema([(name, pa.int32() if name in ("frames", "row") else pa.string()) for name in _INDEX])


def build_faces(
    manifest: list[ManifestRow],
    clips_folder: Path,
    root: Path,
    params: Landmarks,
    out: Path,
    jobs: int,
    time_limit: float = 0.0,
) -> list[dict[str, Any]]:
    """Write shards of all clips that extract accepted, and index.parquet with the status of each, into ``out``.

    ``clips_folder`` is data/clips, with the clips' speech; the paths in ``manifest`` are relative to ``root``. A clip
    is given up until the next run after ``time_limit`` seconds without a frame (0: never).

    Returns the rows of the index with the metrics and the ``reason`` of each verdict. The index itself lacks these, so
    that a changed limit without effect on a verdict leaves later stages up to date. Raises TooManyLost if more than
    ``params.max_lost`` of the clips are rejected, or a split has no good clip left.
    """
    good = [clip for clip in manifest if clip.status == "ok"]
    size = [] if params.size == SIZE else [params.size]  # 128 keeps the keys of older rows
    recipe = (VERSION, params.detect_every, params.face, params.alignment, params.smoothing, params.jpeg_quality, *size)
    items = [
        Item(
            clip.id,
            row_key(*recipe, clip.sha256, clip.start, clip.frames),
            _Source(root / clip.path, clip.start, clip.frames, (clips_folder.absolute() / clip.shard, clip.row)),
        )
        for clip in good
    ]
    build = partial(compute_faces, params=params, time_limit=time_limit)
    first = [path for item in items[:1] for path in (item.source.path, item.source.sound[0])]
    cells = build_shards(
        out, items, build, FIELDS, per_shard=params.shard_clips, jobs=jobs, title="faces", shared_paths=first
    )
    rows = []
    for clip, cell in zip(good, cells.rows(), strict=True):
        reason = cell["error"] or verdict(cell, "landmarks", params)
        rows.append(
            {
                **{limit.metric: cell[limit.metric] for limit in _LIMITS},
                **{name: getattr(clip, name) for name in ("id", "speaker", "split")},
                **{name: cell[name] for name in ("frames", "shard", "row")},
                "status": "rejected" if reason else "ok",
                "reason": reason,
            }
        )
    check_losses(rows, params.max_lost, "landmarks")
    write_index(out, rows, _SCHEMA)
    warn_of_enlargement([row["face_size"] for row in rows if row["status"] == "ok"], params.size)
    return rows


def warn_of_enlargement(face_sizes: Sequence[float], size: int) -> None:
    """Warn if most faces have too few source pixels for crops larger than 128 pixels.

    ``face_sizes`` are the metric `face_size` of the good clips.
    """
    if size > SIZE and (usual := median(face_sizes)) <= SIZE:
        log.warning(
            "landmarks.size is %d, and the clips have %.0f pixels (median) behind a side of the crop: it only enlarges "
            "them. Set it to %d, or give videos with larger faces.",
            size,
            usual,
            SIZE,
        )
