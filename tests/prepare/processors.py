"""The stages before training, on a processor that the environment restricts.

    python -m tests.prepare.processors OUT

Reads data/sample of the working folder and writes what the stages landmarks, mfcc and pca write.
"""

import sys
from pathlib import Path

import numpy as np

from pipeline.config.params import Mfcc, Params
from pipeline.corpora.registry import default_sections, open_corpus
from pipeline.landmarks.pca import fit_model
from pipeline.prepare.extract import extract
from pipeline.prepare.faces import build_faces
from pipeline.prepare.manifest import read_manifest
from pipeline.prepare.mfcc import build_mfcc
from pipeline.prepare.pca import write_explained
from pipeline.shards.clip_store import ClipStore

PARAMS = Params(corpora=default_sections())


def restricted() -> dict[str, dict[str, str]]:
    """Environments in which the libraries act as on another processor, by its name; the first leaves them as they are.

    What a processor lacks, such as AVX-512 on an older one, makes two of them equal, never a test fail. OpenCV keeps
    its AVX2 everywhere: without fused multiplication its warp gives other pictures, on processors from before 2013.
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


if __name__ == "__main__":
    preprocess(Path(sys.argv[1]))
