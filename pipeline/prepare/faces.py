"""Stage landmarks: every clip's 68 points, alignment and face crops, in shards with an index of their quality."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.config.params import Landmarks
from pipeline.faces.align import align
from pipeline.faces.crop import SIZE, crop_face, encode_jpeg, onto_crop, rescale, to_crop
from pipeline.faces.quality import QUALITY_COLUMNS, measure_quality, metrics_without_face
from pipeline.faces.replay import Replay
from pipeline.faces.track import track_face
from pipeline.media import MediaError, read_frames
from pipeline.prepare.manifest import ManifestRow
from pipeline.prepare.quality.rejections import check_losses
from pipeline.prepare.quality.thresholds import verdict
from pipeline.runtime.clock import FPS
from pipeline.runtime.paths import StrPath
from pipeline.runtime.time_limit import TimedOut, limited
from pipeline.shards.build import build_shards, write_index
from pipeline.shards.plan import UNFINISHED, Item, row_key
from pipeline.shards.read import read_row
from pipeline.shards.table import Row, array_field, jpeg_field

log = logging.getLogger(__name__)

VERSION = 6
"""Raised with every change of this file, of pipeline.faces, or of how frames and sound are read, that changes a row's
bytes."""

FIELDS = [
    array_field("points", "float32", 68, 2),
    array_field("transform", "float32", 2, 3),
    array_field("found", "bool"),
    jpeg_field("jpeg"),
    pa.field("frames", pa.int32()),
    *QUALITY_COLUMNS,
    pa.field("error", pa.string()),
]


@dataclass(frozen=True)
class _Source:
    """Where a clip's frames are, and where its samples stand in data/clips: shard and row."""

    path: Path
    start: float
    frames: int
    sound: tuple[Path, int]

    def read(self) -> Iterator[NDArray[np.uint8]]:
        return read_frames(self.path, start=self.start, duration=self.frames / FPS)


@dataclass(frozen=True)
class FaceBuilder:
    """Computes a clip's row; runs in worker processes."""

    params: Landmarks
    time_limit: float = 0.0
    """Seconds without a frame after which a clip whose decoder hangs is timed out, for this time; 0: never."""

    def __call__(self, source: _Source) -> Row:
        """The cells of ``FIELDS``; a clip without a face has empty arrays and says so in ``error``."""
        cv2.setNumThreads(0)  # one clip per core: OpenCV's own threads would only get in each other's way
        frames, size = Replay(lambda: limited(self.time_limit, source.read()), source.frames), self.params.size
        try:
            track = track_face(frames, self.params.detect_every, self.params.face)
            if not track.found_T.any():
                return _empty("no face found in any frame")
            transforms = align(
                track.points_T68x2, per_frame=self.params.alignment == "frame", smoothing=self.params.smoothing
            )
            stored = onto_crop(transforms, size)
            # The crops by which a clip is judged, the same whatever the size, and the files of those that are stored.
            crops, files = np.empty((len(transforms), SIZE, SIZE, 3), np.uint8), []
            for number, (frame, transform) in enumerate(zip(frames, stored, strict=True)):
                crops[number] = crop_face(frame, transforms[number])
                crop = crops[number] if size == SIZE else crop_face(frame, transform, size)
                files.append(encode_jpeg(crop, self.params.jpeg_quality))
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
        **metrics_without_face(),
        "error": error,
    }


INDEX_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string()),
        pa.field("speaker", pa.string()),
        pa.field("split", pa.string()),
        pa.field("frames", pa.int32()),
        pa.field("status", pa.string()),
        pa.field("shard", pa.string()),
        pa.field("row", pa.int32()),
    ]
)


def build_faces(
    manifest: list[ManifestRow],
    clips_folder: StrPath,
    root: StrPath,
    params: Landmarks,
    out: StrPath,
    jobs: int,
    time_limit: float = 0.0,
) -> list[dict[str, Any]]:
    """Write ``out``: shards of all clips that extract found good, and index.parquet with the status of each.

    ``clips_folder`` is that of the manifest, with the clips' speech; ``root`` is the corpus's folder, to which the
    manifest's paths are relative. A clip whose decoder gives nothing for ``time_limit`` seconds (0: no limit) is timed
    out, until the stage runs again. Returns the index's rows with `QUALITY_METRICS` and the ``reason`` of each
    verdict, which are not part of the index: there a changed limit would touch what the stages after this one read,
    also where it changes no verdict.
    Raises TooManyLost when more than ``params.max_lost`` of the clips are rejected, or a split is left without any.
    """
    clips_folder, root, out = Path(clips_folder), Path(root), Path(out)
    good = [clip for clip in manifest if clip.status == "ok"]
    size = [] if params.size == SIZE else [params.size]  # the rows of 128 keep the keys from before there was a choice
    recipe = (VERSION, params.detect_every, params.face, params.alignment, params.smoothing, params.jpeg_quality, *size)
    items = [
        Item(
            clip.id,
            row_key(*recipe, clip.sha256, clip.start, clip.frames),
            _Source(root / clip.path, clip.start, clip.frames, (clips_folder.absolute() / clip.shard, clip.row)),
        )
        for clip in good
    ]
    builder = FaceBuilder(params, time_limit)
    first = [path for item in items[:1] for path in (item.source.path, item.source.sound[0])]
    cells = build_shards(
        out, items, builder, FIELDS, per_shard=params.shard_clips, jobs=jobs, title="faces", shared_paths=first
    )
    rows = []
    for clip, cell in zip(good, cells.rows(), strict=True):
        reason = cell["error"] or verdict(cell, "landmarks", params)
        rows.append(
            {
                **{field.name: cell[field.name] for field in QUALITY_COLUMNS},
                "id": clip.id,
                "speaker": clip.speaker,
                "split": clip.split,
                "frames": cell["frames"],
                "status": "rejected" if reason else "ok",
                "reason": reason,
                "shard": cell["shard"],
                "row": cell["row"],
            }
        )
    check_losses(rows, params.max_lost, "landmarks")
    write_index(out, rows, INDEX_SCHEMA)
    warn_of_enlargement([row["face_size"] for row in rows if row["status"] == "ok"], params.size)
    return rows


def warn_of_enlargement(face_sizes: Sequence[float], size: int) -> None:
    """Warn where crops larger than 128 pixels show no more than those would: most faces have not as many in the source.

    ``face_sizes`` are the metric `face_size` of the good clips, source pixels behind a side of the crop.
    """
    if size > SIZE and (usual := median(face_sizes)) <= SIZE:
        log.warning(
            "landmarks.size is %d, and the clips have %.0f pixels (median) behind a side of the crop: it only enlarges "
            "them. Set it to %d, or give videos with larger faces.",
            *(size, usual, SIZE),
        )
