"""`atvgnet evaluate` and `generate` with any folder of models, on what the stages prepared."""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from pipeline.bundles.bundle import PUBLISHED, load_bundle
from pipeline.bundles.network_files import save_model
from pipeline.evaluation.baselines import BASELINES
from pipeline.models.atnet import AtNet
from pipeline.models.vgnet import VgNet
from pipeline.preprocessing.published.import_weights import read_basics
from pipeline.preprocessing.published.recipe import PublishedPreprocessing
from tests.media.pictures import count_frames
from tests.stages.conftest import Project

pytestmark = pytest.mark.slow


@pytest.fixture
def imported(reproduced: Project, original: Path) -> Iterator[str]:
    """A folder as `import-upstream` writes it, with networks that are small and untrained."""
    name = "models/published"
    folder = reproduced.folder / name
    torch.manual_seed(0)
    PublishedPreprocessing.from_basics(read_basics(original / "basics")).save(folder)
    save_model(folder / "atnet", "model", AtNet(width=8), {"landmarks": PUBLISHED})
    save_model(folder / "vgnet", "model", VgNet(width=8, recurrence="batch"), {"landmarks": PUBLISHED})
    yield name
    shutil.rmtree(folder)


def test_the_stages_models_measure_as_in_the_stage(reproduced: Project) -> None:
    reproduced.run("atvgnet", "evaluate", "--models", "models", "--out", "again")
    try:
        for name in ("metrics.json", "means.json", "metrics.csv", "clips.csv", "absent.csv"):
            assert (reproduced.folder / "again" / name).read_bytes() == (
                reproduced.folder / "reports" / name
            ).read_bytes()
    finally:
        shutil.rmtree(reproduced.folder / "again")


def test_the_bundle_is_registered(reproduced: Project) -> None:
    """Whole, with the card that the evaluation wrote. The first: what another test tries may be better."""
    program = """if True:
        import shutil
        from pipeline.tracking.models import fetch_bundle
        shutil.copytree(fetch_bundle("models:/atvgnet/1"), "fetched")
    """
    printed = reproduced.run(sys.executable, "-c", program)
    fetched = reproduced.folder / "fetched"
    try:
        assert printed == ""
        card = json.loads((fetched / "bundle.json").read_text())
        means = json.loads((reproduced.folder / "reports/means.json").read_text())["at_vg"]
        assert card["metrics"]["at_vg"].items() >= means.items()
        registered, present = (dict(load_bundle(folder).card) for folder in (fetched, reproduced.folder / "models"))
        assert registered == present
        assert len(registered["commit"]) == 40
    finally:
        shutil.rmtree(fetched)


def test_imported_models_beside_their_baselines(reproduced: Project, imported: str) -> None:
    printed = reproduced.run("atvgnet", "evaluate", "--models", imported)
    assert "the first frame repeated" in printed
    reports = reproduced.folder / imported / "reports"
    metrics = json.loads((reports / "means.json").read_text())
    assert list(metrics) == list(reversed(BASELINES))
    assert metrics["static"]["lost"] < 0.5  # the original's regions show faces too
    own = json.loads((reproduced.folder / "reports" / "means.json").read_text())
    assert metrics["static"]["psnr"] != own["static"]["psnr"]  # and are other pictures
    assert len(list((reports / "videos").glob("*.mp4"))) == 1
    status = json.loads(reproduced.run("dvc", "status", "--json"))
    assert not status.keys() - {"studies/dvc.yaml:studies"}  # which runs when asked alone
    assert reproduced.run("git", "status", "--porcelain") == ""


def test_imported_models_make_a_video(reproduced: Project, imported: str, original: Path) -> None:
    demo = original / "demo"
    picture, speech, out = str(demo / "s20.png"), str(demo / "speech.wav"), reproduced.folder / "out.mp4"
    printed = reproduced.run("atvgnet", "generate", "--models", imported, "-p", picture, "-i", speech, "-o", "out.mp4")
    assert "out.mp4: 75 frames, 3.00 s" in printed
    assert count_frames(out) == 75
    out.unlink()


def test_the_stages_folder_is_left_alone(reproduced: Project) -> None:
    printed = reproduced.run("atvgnet", "evaluate", "--models", "models", "--out", "./reports", good=False)
    assert "reports belongs to the stage evaluate. Give another folder with --out." in printed
