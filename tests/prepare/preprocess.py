"""The three stages that read a corpus, without DVC and MLflow around them.

    python -m tests.prepare.preprocess CORPUS ROOT OUT JOBS

``CORPUS`` is grid, lrw or folder. Prints a line when a stage starts, and one at the end.
"""

import sys
from dataclasses import asdict, replace
from pathlib import Path

from pipeline.config.params import Params
from pipeline.corpora.folder import FolderParams
from pipeline.corpora.grid import GridParams
from pipeline.corpora.lrw import LrwParams
from pipeline.corpora.registry import open_corpus
from pipeline.prepare.extract import extract
from pipeline.prepare.faces import build_faces
from pipeline.prepare.manifest import read_manifest
from pipeline.prepare.speech_features import build_mfcc

STAGES = {"extract": "clips", "landmarks": "faces", "mfcc": "mfcc"}
"""Stages and the folders they write."""


def preprocess(kind: str, root: Path, out: Path, jobs: int, shard_clips: int = 2, seconds: float = 3.0) -> None:
    """``seconds`` is the length of the clips of a folder."""
    corpora: dict[str, GridParams | LrwParams | FolderParams] = {
        "grid": GridParams(root=str(root), val=0.2, test=0.2),
        "lrw": LrwParams(root=str(root)),
        "folder": FolderParams(root=str(root), clip_seconds=seconds),
    }
    params = Params(corpus=kind, corpora={name: asdict(section) for name, section in corpora.items()})
    corpus = open_corpus(params, root)
    print("extract", flush=True)
    extract(corpus, replace(params.extract, shard_clips=shard_clips), out / "clips", jobs, out / "hashes.parquet")
    print("landmarks", flush=True)
    landmarks = replace(params.landmarks, shard_clips=shard_clips)
    build_faces(read_manifest(out / "clips"), out / "clips", corpus.root, landmarks, out / "faces", jobs)
    print("mfcc", flush=True)
    build_mfcc(out / "clips", replace(params.mfcc, shard_clips=shard_clips), out / "mfcc", jobs)
    print("done", flush=True)


def link_grid(corpora: Path, root: Path, count: int) -> list[Path]:
    """Make ``root`` a corpus of the first ``count`` clips of GRID's s1 (real ones, by links); the links."""
    (root / "s1").mkdir(parents=True)
    links = []
    for path in sorted((corpora / "grid/s1").glob("*.mpg"))[:count]:
        links.append(root / "s1" / path.name)
        links[-1].symlink_to(path)
    return links


def outs(out: Path) -> dict[str, bytes]:
    """All files that the stages wrote, by path."""
    folders = [out / name for name in STAGES.values()]
    return {str(path.relative_to(out)): path.read_bytes() for folder in folders for path in sorted(folder.iterdir())}


if __name__ == "__main__":
    preprocess(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
