"""The memory for preprocessing a long video, in a process of its own that does a worker's work.

    python -m tests.prepare.memory SHORT LONG OUT

SHORT and LONG are folders with one video each. Prints a line of JSON: the peak of resident memory so far, in MB, after
each step.
"""

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

from pipeline.config.params import Landmarks, Params
from pipeline.corpora.base import Corpus
from pipeline.corpora.folder import FolderParams
from pipeline.corpora.registry import open_corpus
from pipeline.media import read_frames
from pipeline.prepare.extract import extract
from pipeline.prepare.faces import build_faces
from pipeline.prepare.manifest import ManifestRow, read_manifest
from pipeline.prepare.speech_features import build_mfcc
from tests.peak import peak

PARAMS = Params(landmarks=Landmarks(min_movement=0.0))  # a photograph does not speak


def corpus_of(root: Path, seconds: float) -> Corpus:
    folder = FolderParams(root=str(root), clip_seconds=seconds)
    return open_corpus(replace(PARAMS, corpus="folder", corpora={"folder": asdict(folder)}), root)


def speech(root: Path, out: Path, seconds: float) -> list[ManifestRow]:
    """Extract and mfcc of the whole video; the manifest."""
    extract(corpus_of(root, seconds), PARAMS.extract, out / "clips", jobs=1)
    build_mfcc(out / "clips", PARAMS.mfcc, out / "mfcc", jobs=1)
    return read_manifest(out / "clips")


def landmarks(root: Path, out: Path, *rows: ManifestRow) -> None:
    """Of three clips."""
    splits = [replace(row, split=split) for row, split in zip(rows, ("train", "val", "test"), strict=True)]
    faces = build_faces(splits, out / "clips", root, PARAMS.landmarks, out / "faces", jobs=1)
    assert {row["status"] for row in faces} == {"ok"}


def main(short: Path, long: Path, out: Path) -> None:
    peaks = {"imports": peak()}
    rows = speech(short, out / "short", 6)
    landmarks(short, out / "short", rows[0], rows[4], rows[-1])
    peaks["short"] = peak()
    rows = speech(long, out / "long", 6)
    landmarks(long, out / "long", rows[0], rows[16], rows[-1])
    assert sum(1 for _ in read_frames(long / rows[0].path)) == sum(row.frames for row in rows)
    peaks["long"] = peak()
    minutes = speech(long, out / "minutes", 60)
    landmarks(long, out / "minutes", minutes[0], minutes[1], minutes[-1])
    peaks["clips of a minute"] = peak()
    print(json.dumps(peaks))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
