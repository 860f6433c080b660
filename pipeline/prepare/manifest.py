"""The manifest: one row per clip with its place, its metrics and its verdict."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, get_type_hints

import pyarrow as pa

from pipeline.runtime.paths import StrPath
from pipeline.shards.build import write_index
from pipeline.shards.read import MANIFEST, read_index


@dataclass(frozen=True)
class ManifestRow:
    """One clip. Times are in seconds; metrics are NaN if the clip could not be read so far."""

    id: str
    speaker: str
    split: str
    text: str
    path: str
    """Relative to the corpus's root, with forward slashes."""
    sha256: str
    start: float
    fps: float
    frames: int
    duration: float
    audio_offset: float
    damaged: float
    """Share of lost or concealed frames."""
    level: float
    """Level of the sound, dB below full scale."""
    length_difference: float
    """Sound minus picture from the picture's start on; negative if the sound starts late or ends early."""
    status: str
    reason: str
    shard: str
    row: int
    words: str = ""
    """The words with their times from the clip's start (`pipeline.corpora.alignment.pack`); empty if unknown."""


_TYPES = {"str": pa.string(), "float": pa.float64(), "int": pa.int32()}
_SCHEMA = pa.schema([(name, _TYPES[kind.__name__]) for name, kind in get_type_hints(ManifestRow).items()])


def write_manifest(folder: StrPath, rows: Iterable[ManifestRow]) -> None:
    """Write ``folder/manifest.parquet``, sorted by id, and remove older shards. Equal rows give equal bytes."""
    write_index(folder, (vars(row) for row in sorted(rows, key=lambda row: row.id)), _SCHEMA, MANIFEST)


def read_manifest(folder: StrPath) -> list[ManifestRow]:
    """Read it back. Raises PipelineError if it is missing or from another version."""
    return [ManifestRow(*cells) for cells in zip(*map(_cells, read_index(folder, MANIFEST).columns), strict=True)]


def _cells(column: pa.ChunkedArray) -> list[Any]:
    """The values; equal texts share one object, which saves memory for half a million clips."""
    if not pa.types.is_string(column.type):
        return list(column.to_pylist())
    coded = column.combine_chunks().dictionary_encode()
    texts = coded.dictionary.to_pylist()
    return [texts[number] for number in coded.indices.to_pylist()]
