"""Clips, faces, speech features and the landmark model have the same bytes on every processor."""

import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.corpora.sample import SyntheticParams
from pipeline.synthetic.build_sample import build_synthetic
from tests.prepare.processors import restricted

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
OUTS = ("clips", "faces", "mfcc", "variants", "adaptive", "landmarks")
PROCESSORS = restricted()


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with a small sample corpus in data/sample."""
    folder = tmp_path_factory.mktemp("processors")
    (folder / "data").mkdir()
    build_synthetic(SyntheticParams(speakers=1, sentences=3), folder / "data/sample", 1)
    return folder


def run(corpus: Path, processor: str, *command: str) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OPENBLAS_", "NPY_"))}
    environment = {**kept, "PYTHONPATH": str(ROOT), **PROCESSORS[processor]}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *command], cwd=corpus, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{processor}: {done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def unrounded(corpus: Path) -> dict[str, str]:
    """By processor, a hash of numbers before they are rounded. Each process writes its outs below `corpus` too."""
    with ThreadPoolExecutor(2) as pool:
        printed = pool.map(lambda name: run(corpus, name, "-m", "tests.prepare.processors", name), PROCESSORS)
        return {name: text.split()[-1] for name, text in zip(PROCESSORS, printed, strict=True)}


def test_the_same_bytes_on_every_processor(corpus: Path, unrounded: dict[str, str]) -> None:
    results = {name: hashes(corpus / name) for name in unrounded}
    expected = results["this"]
    assert {path.split("/")[0] for path in expected} == set(OUTS)
    for processor, result in results.items():
        assert result == expected, processor


def hashes(folder: Path) -> dict[str, str]:
    files = [path for name in OUTS for path in sorted((folder / name).iterdir())]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_without_rounding_the_bytes_would_differ(unrounded: dict[str, str]) -> None:
    """This shows that the test above can fail."""
    assert len(set(unrounded.values())) > 1
