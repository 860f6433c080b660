"""The pipeline from other places than an activated environment in a full clone: what works, and what is told."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stages.conftest import Project

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def clone(project: Project, folder: Path, *options: str) -> Project:
    """A clone that shares the project's cache, with its outs."""
    project.run("git", "clone", "-q", *options, f"file://{project.folder}", str(folder))
    (folder / ".dvc/config.local").write_text(f"[cache]\n    dir = {project.folder}/.dvc/cache\n")
    copy = Project(folder)
    copy.run("dvc", "checkout", "-q")
    return copy


def test_an_experiment_that_dvc_would_lose_is_refused_before_it_runs(reproduced: Project, tmp_path: Path) -> None:
    shallow = clone(reproduced, tmp_path / "shallow", "--depth", "1")
    experiment = ("dvc", "exp", "run", "--temp", "--name", "kept", "-S", "pca.components=5", "pca")
    printed = shallow.run(*experiment, good=False)
    assert "pca: This clone is shallow (git clone --depth), in which DVC loses experiments" in printed
    assert "git fetch --unshallow" in printed
    shallow.run("git", "fetch", "-q", "--unshallow")
    shallow.run(*experiment)
    assert "kept" in shallow.run("dvc", "exp", "list")


def test_dvc_called_by_its_path_runs_the_stages_in_its_environment(reproduced: Project, tmp_path: Path) -> None:
    """Though the shell finds another Python, which lacks the packages."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").symlink_to(sys._base_executable)  # type: ignore[attr-defined]
    copy = clone(reproduced, tmp_path / "copy")
    dvc = str(Path(sys.executable).parent / "dvc")
    elsewhere = {**copy.environment, "PATH": f"{tmp_path / 'bin'}{os.pathsep}/usr/bin:/bin"}

    before = (copy.folder / "models/landmarks/landmarks.npz").read_bytes()
    command = [dvc, "repro", "--force", "--single-item", "pca"]
    done = subprocess.run(command, cwd=copy.folder, env=elsewhere, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (copy.folder / "models/landmarks/landmarks.npz").read_bytes() == before


def test_from_a_subfolder(reproduced: Project, tmp_path: Path) -> None:
    copy = clone(reproduced, tmp_path / "copy")
    inside = Project(copy.folder / "docs")
    printed = inside.run("dvc", "repro", "--force", "--single-item", "../dvc.yaml:pca")
    assert "a fault in the tracking itself" not in printed
    assert "up to date" in inside.run("dvc", "repro", "../dvc.yaml")


def blocks(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", ["README.md", "docs/tracking.md"])
def test_examples_run_as_they_stand(reproduced: Project, page: str) -> None:
    """Each alone, on a clip of the smaller corpus."""
    clip = min(reproduced.folder.glob("data/sample/s2/*.mpg")).relative_to(reproduced.folder)
    assert blocks(page)
    for block in blocks(page):
        code = block.replace("data/sample/s3/bgau2p.mpg", str(clip))
        reproduced.run(sys.executable, "-c", code)


def test_the_readmes_command_generates(reproduced: Project, tmp_path: Path) -> None:
    """On files that the repository has, with the models that ship; and with those that were trained."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^    (atvgnet generate .*?)  +#", text, re.MULTILINE)
    words = command.replace("out.mp4", str(tmp_path / "out.mp4")).split()
    printed = reproduced.run(*words)
    assert "models/pretrained/README.md describes their limits" in printed
    assert "75 frames, 3.00 s, 360x288 pixels" in printed
    assert "models: trained on the corpus sample. They know one face" in reproduced.run(
        *words, "--models", "models", "--overwrite"
    )
