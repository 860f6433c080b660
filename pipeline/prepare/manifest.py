"""The manifest: one row per clip, with where it lies and whether it is good."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

import pyarrow as pa

from pipeline.runtime.paths import StrPath
from pipeline.shards.build import write_index
from pipeline.shards.read import MANIFEST, read_index


@dataclass(frozen=True)
class ManifestRow:
    """One clip. ``path`` is relative to the corpus's root, with forward slashes; times in seconds.

    ``damaged`` is the number of lost or concealed frames as a share of all, ``level`` that of the sound in dB below
    full scale, ``length_difference`` how much longer the sound lasts than the picture from the picture's start on,
    negative where it starts late or ends early. These are NaN where the clip could not be read that far.
    """

    id: str
    speaker: str
    split: str
    text: str
    path: str
    sha256: str
    start: float
    fps: float
    frames: int
    duration: float
    audio_offset: float
    damaged: float
    level: float
    length_difference: float
    status: str
    reason: str
    shard: str
    row: int
    words: str = ""
    """When each is said, from the clip's start on (`pipeline.corpora.alignment.pack`); empty where nobody knows."""


_TYPES = {"str": pa.string(), "float": pa.float64(), "int": pa.int32()}
_SCHEMA = pa.schema([(name, _TYPES[kind.__name__]) for name, kind in get_type_hints(ManifestRow).items()])


def write_manifest(folder: StrPath, rows: Iterable[ManifestRow]) -> None:
    """Write ``folder/manifest.parquet``, sorted by id, the same bytes for the same rows, and sweep older shards."""
    folder = Path(folder)
    write_index(folder, (vars(row) for row in sorted(rows, key=lambda row: row.id)), _SCHEMA, MANIFEST)


def read_manifest(folder: StrPath) -> list[ManifestRow]:
    """Read it back; PipelineError when it is not there or of another version."""
    folder = Path(folder)
    return [ManifestRow(*cells) for cells in zip(*map(_cells, read_index(folder, MANIFEST).columns), strict=True)]


def _cells(column: pa.ChunkedArray) -> list[Any]:
    """As Python values; equal texts are one object, which for half a million clips makes a difference."""
    if not pa.types.is_string(column.type):
        return list(column.to_pylist())
    coded = column.combine_chunks().dictionary_encode()
    texts = coded.dictionary.to_pylist()
    return [texts[number] for number in coded.indices.to_pylist()]
