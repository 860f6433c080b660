"""Published checkpoints made by rule, and what the command makes of them."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from pipeline.inference.published.basics import read_basics
from pipeline.inference.published.preprocessing import PublishedPreprocessing
from tests.inference.published.original import Layouts, filled


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
    """The folder that the command wrote from AT-net in the older file format and VG-net in the newer."""
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
