"""Run the stages extract and landmarks on a folder of videos."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from pipeline.config.params import Extract, Landmarks, Params
from pipeline.corpora.folder import FolderParams
from pipeline.corpora.registry import open_corpus
from pipeline.faces.crop import from_crop
from pipeline.prepare.extract import extract
from pipeline.prepare.faces import build_faces
from pipeline.prepare.manifest import ManifestRow
from pipeline.shards.read import MANIFEST, ShardReader
from tests.prepare.bad_media.cases import TIME_LIMIT

TRAINING = "b"
"""One of two training videos among a, b, c and d."""


@dataclass(frozen=True)
class Outcome:
    """The rows of both stages, by the file's path below the corpus's root."""

    root: Path
    clips: Mapping[str, ManifestRow]
    faces: Mapping[str, dict[str, Any]]

    def samples(self, name: str) -> NDArray[Any]:
        """Speech (N,) int16 at 16 kHz."""
        samples: NDArray[Any] = ShardReader(self.root.parent / "clips", MANIFEST).read(self.clips[name].id, "samples")
        return samples

    def face(self, name: str) -> dict[str, Any]:
        """``points`` in pixels of the source, ``transform``, ``found`` and ``jpeg`` of a clip."""
        reader, clip = ShardReader(self.root.parent / "faces"), self.clips[name].id
        cells = {column: reader.read(clip, column) for column in ("points", "transform", "found", "jpeg")}
        return {**cells, "points": from_crop(cells["points"], cells["transform"])}


def run_stages(root: Path, params: Params, jobs: int = 1) -> Outcome:
    """Extract and landmarks on ``params.corpus`` in ``root``, writing beside it."""
    corpus = open_corpus(params, root)
    rows = extract(corpus, params.extract, root.parent / "clips", jobs)
    faces = build_faces(
        rows,
        root.parent / "clips",
        corpus.root,
        params.landmarks,
        root.parent / "faces",
        jobs,
        time_limit=params.extract.time_limit,
    )
    paths = {row.id: row.path for row in rows}
    return Outcome(root, {row.path: row for row in rows}, {paths[row["id"]]: row for row in faces})


def lenient(folder: Path, time_limit: float = TIME_LIMIT) -> Params:
    """A ``folder`` corpus of which any share may be bad; the faces of films are a photograph's and do not speak."""
    return Params(
        corpus="folder",
        corpora={"folder": asdict(FolderParams(root=str(folder), val=0.2, test=0.2))},
        extract=Extract(max_lost=1.0, time_limit=time_limit, shard_clips=4),
        landmarks=Landmarks(max_lost=1.0, shard_clips=4, min_movement=0.0),
    )
