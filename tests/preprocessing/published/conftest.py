"""Published checkpoints with rule-based weights, and their import."""

import json
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from pipeline.config.params import Evaluate, Mfcc, Params
from pipeline.config.training import AtNetParams
from pipeline.corpora.lrw import LrwParams
from pipeline.corpora.registry import open_corpus
from pipeline.prepare.extract import extract
from pipeline.prepare.faces import build_faces
from pipeline.prepare.speech_features import build_mfcc
from pipeline.preprocessing.published.import_weights import read_basics
from pipeline.preprocessing.published.recipe import PublishedPreprocessing
from tests.preprocessing.published.original import Layouts, filled


@pytest.fixture(scope="session")
def layouts(original: Path) -> Layouts:
    """Keys and shapes of the original's state dicts."""
    layouts: Layouts = json.loads((original / "checkpoint_layout.json").read_text())
    return layouts


@pytest.fixture(scope="session")
def golden(original: Path) -> dict[str, Tensor]:
    """Inputs and outputs of the original's networks."""
    with np.load(original / "golden.npz") as arrays:
        return {name: torch.from_numpy(arrays[name].astype(np.float32)) for name in arrays}


@pytest.fixture(scope="session")
def preprocessing(original: Path) -> PublishedPreprocessing:
    return PublishedPreprocessing.from_basics(read_basics(original / "basics"))


@pytest.fixture(scope="session")
def imported(layouts: Layouts, original: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The imported models: AT-net from the older file format, VG-net from the newer."""
    folder = tmp_path_factory.mktemp("original")
    torch.save(filled(layouts["atnet_lstm"]["state_dict"]), folder / "atnet.pth", _use_new_zipfile_serialization=False)
    torch.save(filled(layouts["vgnet_generator"]["state_dict"]), folder / "vgnet.pth")
    command = [str(Path(sys.executable).parent / "atvgnet"), "import-upstream", "--atnet", "atnet.pth"]
    command += ["--vgnet", "vgnet.pth", "--basics", str(original / "basics")]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "models/published/atnet: AT-net, 30,071,750 parameters, from atnet.pth",
        "models/published/vgnet: VG-net, 58,355,781 parameters, from vgnet.pth",
        "Now run, with a picture and speech of yours:",
        "atvgnet generate --models models/published -p face.jpg -i speech.wav -o out.mp4",
    ]
    for file in ("atnet.pth", "vgnet.pth"):  # a third of a gigabyte
        (folder / file).unlink()
    return folder / "models" / "published"


@pytest.fixture(scope="session")
def prepared(corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Params, Path]:
    """Params, and a folder with a corpus of one real clip in each split and what the stages make of it for the models
    that ship.
    """
    folder = tmp_path_factory.mktemp("prepared")
    for split in ("train", "val", "test"):
        path = folder / f"corpus/lipread_mp4/FAMILY/{split}/FAMILY_00001.mp4"
        path.parent.mkdir(parents=True)
        shutil.copyfile(corpora / "lrw_like/lipread_mp4/FAMILY/val/FAMILY_00003.mp4", path)
    corpora_params = {"lrw": asdict(LrwParams(root=str(folder / "corpus")))}
    params = Params(
        corpus="lrw",
        corpora=corpora_params,
        mfcc=Mfcc(kind="embedding_mel"),
        atnet=AtNetParams(encoder="embedding"),
        evaluate=Evaluate(videos=1),
    )
    corpus = open_corpus(params, folder)
    clips = extract(corpus, params.extract, folder / "clips", 1)
    build_faces(clips, folder / "clips", corpus.root, params.landmarks, folder / "faces", 1)
    build_mfcc(folder / "clips", params.mfcc, folder / "mfcc", 1)
    return params, folder
