"""docs/extending.md, run as it stands: in a copy of the project its files are written, its lines added."""

import re
import subprocess
import sys
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.prepare.bad_media.film import face_at
from tests.stages.conftest import Project, copy_project

ROOT = Path(__file__).parents[2]
CLIPS = [f"{actor}_{said}_{how}_XX" for actor in (1001, 1002, 1003) for said, how in (("DFA", "ANG"), ("IEO", "HAP"))]
ATVGNET = ("python", "-c", "from pipeline.cli import app; app()")  # the copy's, whatever is installed


@dataclass(frozen=True)
class Section:
    """A section of the page: what it says to put where."""

    files: dict[str, str]
    lines: dict[str, str]
    yaml: str


def sections() -> dict[str, Section]:
    found = {}
    for part in (ROOT / "docs/extending.md").read_text(encoding="utf-8").split("\n## ")[1:]:
        title, body = part.split("\n", 1)
        blocks = re.findall(r"`(pipeline/[\w/]+\.py)`[^`]*:\n\n```python\n(.*?)```", body, re.DOTALL)
        yaml = re.findall(r"```yaml\n(.*?)```", body, re.DOTALL)
        new = {path: code for path, code in blocks if not (ROOT / path).exists()}
        old = {path: code for path, code in blocks if (ROOT / path).exists()}
        found[title] = Section(new, old, "".join(yaml))
    return found


SECTIONS = sections()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of the project with all that the page says."""
    project = copy_project(tmp_path_factory.mktemp("extended"))
    for section in SECTIONS.values():
        for path, code in section.files.items():
            (project.folder / path).write_text(code)
        for path, code in section.lines.items():
            file = project.folder / path
            text = file.read_text()
            after = next((one for one in ("# isort: on\n", "from pipeline.config.file") if one in text), "")
            file.write_text(text.replace(after, code + after, 1) if after else f"{text}\n{code}")
        if section.yaml:
            import yaml

            params = project.folder / "params.yaml"
            tree = yaml.safe_load(params.read_text())
            tree["corpora"] |= yaml.safe_load("corpora:\n" + section.yaml)["corpora"]
            params.write_text(yaml.safe_dump(tree, sort_keys=False))
    project.run("python", "-m", "stages.declare")
    return project


def python(project: Project, code: str, good: bool = True) -> str:
    return project.run(sys.executable, "-c", code, good=good)


def write_flv(path: Path, seconds: float = 1.2) -> None:
    """As CREMA-D's: Flash video of 480x360 at 30 fps, with MP3."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", format="flv") as container:
        video = container.add_stream("flv", rate=30, options={"qscale": "3"})
        video.width, video.height, video.pix_fmt = 480, 360, "yuv420p"
        sound = container.add_stream("libmp3lame", rate=44100, layout="mono")
        for number in range(round(seconds * 30)):
            opening = 16 * abs(np.sin(number / 6))
            picture = face_at(230 + number / 3, 170, scale=1.2, size=(480, 360), opening=opening)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 30)
            container.mux(video.encode(frame))
        noise = (np.random.default_rng(0).standard_normal(round(seconds * 44100)) * 3000).astype(np.int16)
        block = av.AudioFrame.from_ndarray(noise[None], format="s16p", layout="mono")
        block.sample_rate, block.pts = 44100, 0
        container.mux(sound.encode(block))
        for stream in (video, sound):
            container.mux(stream.encode(None))


def test_every_section_has_its_file_and_its_line() -> None:
    assert list(SECTIONS) == ["A corpus", "A metric", "A baseline", "A network"]
    for title, section in SECTIONS.items():
        assert len(section.files) == len(section.lines) == 1, title
    assert SECTIONS["A corpus"].yaml


def test_its_code_is_as_clean_as_the_projects(project: Project) -> None:
    files = [path for section in SECTIONS.values() for path in section.files]
    project.run("ruff", "check", *files)
    project.run("ruff", "format", "--check", *files)
    project.run("lint-imports")


@pytest.mark.slow
def test_crema_d_through_the_stages(project: Project, tmp_path: Path) -> None:
    for name in CLIPS:
        write_flv(tmp_path / "VideoFlash" / f"{name}.flv")
    (tmp_path / "VideoFlash" / "1001_XXX_ANG_XX.flv").write_bytes(b"")  # not a sentence of the corpus
    printed = project.run(*ATVGNET, "use", "crema_d", "--root", str(tmp_path))
    assert "corpus: sample -> crema_d" in printed
    project.change({"corpora.crema_d.val": 0.34, "corpora.crema_d.test": 0.34})
    *made, extract, landmarks = project.stages_run_by("dvc", "repro", "landmarks")
    assert sorted(made) == ["portraits", "sample"]  # of which neither needs the other
    assert not list((project.folder / "data/sample").iterdir())  # nothing is made that the corpus does not have
    assert (extract, landmarks) == ("extract", "landmarks")
    manifest = pq.read_table(project.folder / "data/clips/manifest.parquet").to_pylist()
    assert [row["id"] for row in manifest] == sorted(CLIPS)
    assert {row["text"] for row in manifest} == {"don't forget a jacket", "it's eleven o'clock"}
    assert {row["status"] for row in manifest} == {"ok"}
    assert {row["frames"] for row in manifest} == {30}
    by_actor = {row["speaker"]: row["split"] for row in manifest}
    assert sorted(by_actor.values()) == ["test", "train", "val"]
    faces = pq.read_table(project.folder / "data/faces/index.parquet").to_pylist()
    assert {row["status"] for row in faces} == {"ok"}


def test_a_root_without_the_corpus_is_told(project: Project, tmp_path: Path) -> None:
    printed = project.run(*ATVGNET, "use", "crema_d", "--root", str(tmp_path), good=False)
    assert "corpora.crema_d.root: the folder" in printed
    assert "set corpora.crema_d.root to the folder that holds VideoFlash" in printed
    (tmp_path / "VideoFlash").mkdir()
    printed = project.run(*ATVGNET, "use", "crema_d", "--root", str(tmp_path), good=False)
    assert "no clip such as 1001_DFA_ANG_XX.flv" in printed


@pytest.mark.slow
def test_metric_and_baseline_are_measured_and_shown(project: Project) -> None:
    code = """
import numpy as np
from pathlib import Path
from pipeline.evaluation.baselines.base import TestClip
from pipeline.evaluation.evaluate import measure_clip
from pipeline.evaluation.tables import tabulate, write_tables
from pipeline.evaluation.baselines import BASELINES
from pipeline.reports.page import write_page
from pipeline.reports.terminal import print_report
frames = np.random.default_rng(0).integers(0, 256, (10, 128, 128, 3)).astype(np.uint8)
points = np.random.default_rng(1).normal(64, 20, (10, 68, 2)).astype(np.float32)
clip = TestClip("a", "s", frames, points, np.zeros((10, 28, 12), np.float32))
made = {name: BASELINES[name].generate(None, clip) for name in ("static", "late")}
rows = [one.row for one in measure_clip(clip, made, np.zeros(6400, np.int16))]
expected = np.abs(frames[1:].astype(float) - frames[np.maximum(np.arange(1, 10) - 5, 0)]).mean() / 255
assert abs(rows[1]["mae"] - expected) < 1e-6
write_tables(Path("shown"), tabulate(rows), 0)
print(Path("shown/clips.csv").read_text().splitlines()[0])
print_report(Path("shown"))
write_page(Path("shown"))
"""
    printed = python(project, code)
    assert ",mae," in printed.replace("\n", ",")
    assert "the real frames, 200 ms late" in printed
    assert "Mean" in printed
    assert "Mean absolute error ↓" in (project.folder / "shown/index.html").read_text(encoding="utf-8")


def test_the_network_trains_and_is_read_back(project: Project) -> None:
    code = """
from pathlib import Path
from pipeline.config.training import AtNetParams
from pipeline.models.gru_net import GruNet
from pipeline.bundles.networks import load_model
from pipeline.training.atnet import AtNetTask
from pipeline.training.loop import train
from tests.training.synthetic import DrawnClips

class Task(AtNetTask):
    architecture = GruNet

params = AtNetParams(width=8, steps=30, batch=4, frames=4, validate_every=10, lr=1e-2)
task = Task(DrawnClips(3), DrawnClips(2, seed=1), params, 0)
before = task.validate(task.network.eval()).metrics["loss"]
task.network.train()
after = train(task, Path("trained"), Path("resume"))["val.loss"]
network, _ = load_model(Path("trained"), "model")
assert type(network) is GruNet
assert after < before, (before, after)
print("trained")
"""
    assert "trained" in python(project, code)


def test_the_project_itself_is_untouched() -> None:
    listed = subprocess.run(["git", "status", "--porcelain", "pipeline"], cwd=ROOT, capture_output=True, text=True)
    assert "crema" not in listed.stdout
