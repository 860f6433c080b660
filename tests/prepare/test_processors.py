"""What the stages mfcc and pca write is the same on every processor."""

import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.prepare.export.conftest import project as project  # the fixture: six prepared clips

OLD = "AVX2 FMA3 AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR X86_V3 X86_V4"
PROCESSORS = {
    "this one": {},
    "this one, two threads": {"OPENBLAS_NUM_THREADS": "2"},
    "AVX2": {"OPENBLAS_CORETYPE": "Haswell", "NPY_DISABLE_CPU_FEATURES": OLD.replace("AVX2 FMA3 ", "")},
    "Zen": {"OPENBLAS_CORETYPE": "Zen"},
    "SSE": {"OPENBLAS_CORETYPE": "Nehalem", "NPY_DISABLE_CPU_FEATURES": OLD},
    "AVX-512": {"OPENBLAS_CORETYPE": "SkylakeX"},
}
STAGES = """
import sys
from pathlib import Path
from pipeline.config.params import Mfcc
from pipeline.landmarks.pca import fit_model
from pipeline.prepare.mfcc import build_mfcc
from pipeline.prepare.pca import write_explained
from pipeline.shards.clip_store import ClipStore

data, out = Path(sys.argv[1]), Path(sys.argv[2])
build_mfcc(data / "clips", Mfcc(), out / "mfcc", 1)
store = ClipStore(data)
model = fit_model((store.points(clip) for clip in store.ids("train")), 6)
model.save(out / "landmarks")
write_explained(model, out / "landmarks")
"""
UNROUNDED = """
import hashlib, sys
from pathlib import Path
import librosa, numpy as np
from pipeline.shards.clip_store import ClipStore

store, digest = ClipStore(Path(sys.argv[1])), hashlib.sha256()
for clip in store.ids("train"):
    samples = store.samples(clip).astype(np.float32) / 32768
    digest.update(librosa.feature.mfcc(y=samples, sr=16000, n_mfcc=13).tobytes())
    points = store.points(clip).reshape(-1, 136).astype(np.float64)
    digest.update(np.linalg.eigh(points.T @ points)[1].tobytes())
print(digest.hexdigest())
"""


def started(code: str, processor: str, *arguments: str) -> str:
    without = {name: value for name, value in os.environ.items() if not name.startswith(("OPENBLAS_", "NPY_"))}
    environment = {**without, "OPENBLAS_NUM_THREADS": "1", **PROCESSORS[processor]}
    command = [sys.executable, "-W", "ignore", "-c", code, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{processor}: {done.stderr}"
    return done.stdout


def contents(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_same_bytes_on_every_processor(project: Path, tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda name: started(STAGES, name, str(project / "data"), str(tmp_path / name)), PROCESSORS))
    expected = contents(tmp_path / "this one")
    assert {"landmarks/landmarks.npz", "landmarks/explained.csv", "mfcc/index.parquet"} < expected.keys()
    for name in PROCESSORS:
        assert contents(tmp_path / name) == expected, name


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the processors to choose from are of x86-64")
def test_without_rounding_the_bytes_would_differ(project: Path) -> None:
    """Else the test above could not fail."""
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda name: started(UNROUNDED, name, str(project / "data")), PROCESSORS))
    assert len(set(found)) > 1
