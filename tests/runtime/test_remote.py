"""The advice to pull: only where DVC itself would pull."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.bundles.networks import load_model
from pipeline.runtime.checkout import or_pull, pull_command
from pipeline.runtime.errors import PipelineError
from pipeline.shards.read import ShardReader

NO_DEFAULT = "no default remote"  # DVC's warning when it has nowhere to pull from


def dvc(project: Path, *words: str) -> str:
    """Run a DVC command; what it warned of."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DVC_")}
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *words], cwd=project, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new DVC project, and the working directory."""
    dvc(tmp_path, "init", "-q", "--no-scm")
    monkeypatch.delenv("DVC_ROOT", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_pull_command_follows_the_dvc_config(project: Path) -> None:
    assert pull_command(project) is None
    assert NO_DEFAULT in dvc(project, "pull")

    dvc(project, "remote", "add", "first", str(project / "100%s"))  # some readers expand %
    dvc(project, "remote", "add", "second", str(project / "second"))
    assert pull_command(project) == "dvc pull -r first"
    assert NO_DEFAULT in dvc(project, "pull")
    assert NO_DEFAULT not in dvc(project, "pull", "-r", "first")

    dvc(project, "remote", "default", "second")
    assert pull_command(project) == "dvc pull"
    assert NO_DEFAULT not in dvc(project, "pull")


def test_remote_in_config_local_counts(project: Path) -> None:
    dvc(project, "remote", "add", "--local", "--default", "mine", str(project / "mine"))
    assert pull_command(project) == "dvc pull"


def test_no_remote_without_a_valid_dvc_config(tmp_path: Path) -> None:
    assert pull_command(tmp_path) is None
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").write_bytes(b"\xff\xfe[")
    assert pull_command(tmp_path) is None


def test_messages_advise_to_pull_only_with_a_remote(project: Path) -> None:
    def messages() -> list[str]:
        found = []
        with pytest.raises(PipelineError) as caught:
            ShardReader(project / "data/faces")
        found.append(str(caught.value))
        with pytest.raises(PipelineError) as caught:
            load_model(project / "models/atnet", "model")
        found.append(str(caught.value))
        return found

    for message in messages():
        assert "dvc repro" in message
        assert "dvc pull" not in message
    dvc(project, "remote", "add", "--default", "store", str(project / "store"))
    for message in messages():
        assert "dvc repro" in message
        assert ", or `dvc pull` to fetch it" in message
    assert or_pull() == ", or `dvc pull` to fetch it"
