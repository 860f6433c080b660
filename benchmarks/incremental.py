"""The cost of adding a few clips, as a share of the cost of the whole corpus.

Preprocesses a corpus in GRID's layout in this process, adds clips, preprocesses it again, and compares the result with
a run over all clips from the start. Prints processor seconds.

    python benchmarks/incremental.py --root data/sample --clips 66 --added 2
"""

import argparse
import tempfile
import time
from pathlib import Path

import cv2

from pipeline.config.params import Params
from pipeline.corpora.base import Opening, files_below, need_folder
from pipeline.corpora.grid import Grid, GridParams
from pipeline.prepare.extract import extract
from pipeline.prepare.faces import build_faces
from pipeline.prepare.manifest import read_manifest
from pipeline.prepare.speech_features import build_mfcc
from pipeline.runtime.errors import PipelineError, clear_errors


def preprocess(root: Path, out: Path) -> float:
    """Run extract, landmarks and mfcc, and return their processor seconds."""
    start = time.process_time()
    params = Params()
    corpus = Grid(GridParams(), Opening(root, "corpora.grid"))
    extract(corpus, params.extract, out / "clips", jobs=1, memory=out / "hashes.parquet")
    build_faces(read_manifest(out / "clips"), out / "clips", root, params.landmarks, out / "faces", jobs=1)
    build_mfcc(out / "clips", params.mfcc, out / "mfcc", jobs=1)
    return time.process_time() - start


def contents(out: Path) -> dict[str, bytes]:
    """The bytes of all shards and indices."""
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*/*.parquet"))}


def link(root: Path, clips: list[Path]) -> None:
    """Put ``clips`` into the corpus ``root``."""
    for clip in clips:
        (root / clip.parent.name).mkdir(parents=True, exist_ok=True)
        (root / clip.parent.name / clip.name).symlink_to(clip.resolve())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=Path("data/sample"), help="a corpus in GRID's layout")
    parser.add_argument("--clips", type=int, default=66)
    parser.add_argument("--added", type=int, default=2)
    chosen = parser.parse_args()
    cv2.setNumThreads(0)
    need_folder(chosen.root, "--root", "Give a corpus in GRID's layout, such as data/sample after `dvc repro`.")
    found = list(files_below(chosen.root, (".mpg",)))[: chosen.clips + chosen.added]
    if len(found) < 4 * chosen.added:
        raise PipelineError(
            f"--root: {chosen.root} has {len(found)} clips, too few to add {chosen.added}. Lower --added."
        )
    every = len(found) // chosen.added  # spread over the corpus, as new clips are
    added = found[every // 2 :: every][: chosen.added]
    with tempfile.TemporaryDirectory() as folder:
        root, out = Path(folder, "corpus"), Path(folder, "out")
        link(root, added)
        link(root, [clip for clip in found if clip not in added][:3])
        preprocess(root, Path(folder, "warm"))  # imports and models are loaded once per run, not once per clip
        for clip in added:
            (root / clip.parent.name / clip.name).unlink()
        link(root, [clip for clip in found if clip not in added][3:])
        whole = preprocess(root, out)
        unchanged = preprocess(root, out)
        link(root, added)
        more = preprocess(root, out)
        again = preprocess(root, Path(folder, "again"))
        same = contents(out) == contents(Path(folder, "again"))
    print(f"{len(found) - len(added)} clips from nothing: {whole:.2f} s; nothing changed: {unchanged:.2f} s")
    print(
        f"{len(added)} clips added ({len(added) / len(found):.1%}): {more:.2f} s, {more / again:.1%} of {again:.2f} s"
    )
    print(f"the same bytes as from nothing: {'yes' if same else 'NO'}")


if __name__ == "__main__":
    with clear_errors("incremental"):
        main()
