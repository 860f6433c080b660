"""The stages before training, on a processor restricted by the environment.

    python -m tests.prepare.processors OUT

Reads data/sample of the working folder and writes the outs of the stages extract, landmarks, mfcc and pca. Prints a
hash of numbers before they are rounded.
"""

import hashlib
import sys
from pathlib import Path

import numpy as np

from pipeline.config.params import Mfcc, Params
from pipeline.corpora.registry import open_corpus
from pipeline.landmarks.pca import fit_model
from pipeline.prepare.extract import extract
from pipeline.prepare.faces import build_faces
from pipeline.prepare.manifest import read_manifest
from pipeline.prepare.pca import write_explained
from pipeline.prepare.speech_features import build_mfcc
from pipeline.shards.clip_store import ClipStore
from pipeline.speech.mel import HOP, _logarithms
from tests.corpora.sections import default_sections

PARAMS = Params(corpora=default_sections())


def restricted() -> dict[str, dict[str, str]]:
    """Environments in which libraries behave as on other processors, by name; the first changes nothing.

    On a processor without AVX-512 two of them are equal. OpenCV keeps AVX2 everywhere, because processors from before
    2013 lack fused multiplication and give other pictures.
    """
    found: list[str] = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
    beyond = [name for name in found if name.startswith(("X86_V4", "AVX512"))]
    avx2 = {"NPY_DISABLE_CPU_FEATURES": " ".join(beyond), "OPENCV_CPU_DISABLE": "AVX512-SKX"}
    return {
        "this": {},
        "avx2": {**avx2, "OPENBLAS_CORETYPE": "Haswell", "OPENBLAS_NUM_THREADS": "1", "NUMBA_CPU_NAME": "haswell"},
        "amd": {**avx2, "OPENBLAS_CORETYPE": "Zen", "OPENBLAS_NUM_THREADS": "2", "NUMBA_CPU_NAME": "znver2"},
        "sse": {
            "OPENBLAS_CORETYPE": "Prescott",
            "NPY_DISABLE_CPU_FEATURES": " ".join(found),
            "NUMBA_CPU_NAME": "generic",
        },
    }


def preprocess(out: Path) -> None:
    """Write clips, faces, mfcc and landmarks below ``out``."""
    corpus = open_corpus(PARAMS, Path.cwd())
    extract(corpus, PARAMS.extract, out / "clips", 1, out / "hashes.parquet")
    build_faces(read_manifest(out / "clips"), out / "clips", corpus.root, PARAMS.landmarks, out / "faces", 1)
    build_mfcc(out / "clips", PARAMS.mfcc, out / "mfcc", 1)
    build_mfcc(out / "clips", Mfcc(kind="log_mel", normalise="clip", variants=2), out / "variants", 1)
    build_mfcc(out / "clips", Mfcc(kind="log_mel", normalise="adaptive"), out / "adaptive", 1)
    store = ClipStore(out)
    model = fit_model((store.points(clip) for clip in store.ids("train")), PARAMS.pca.components)
    model.save(out / "landmarks")
    write_explained(model, out / "landmarks")


def unrounded(out: Path) -> str:
    """A hash of speech features and eigenvectors of the training clips, in full precision."""
    store, digest = ClipStore(out), hashlib.sha256()
    for clip in store.ids("train"):
        digest.update(_logarithms(store.samples(clip), 0.025, HOP).tobytes())
        points = store.points(clip).reshape(-1, 136).astype(np.float64)
        digest.update(np.linalg.eigh(points.T @ points)[1].tobytes())
    return digest.hexdigest()


if __name__ == "__main__":
    preprocess(Path(sys.argv[1]))
    print(unrounded(Path(sys.argv[1])))
