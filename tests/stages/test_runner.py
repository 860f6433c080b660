import os
import subprocess
import sys
from pathlib import Path

import pytest

from stages.runner import run_stage
from tests.commands import run_forked
from tests.small_disk import run_on_small_disk

ROOT = Path(__file__).parents[2]
WRITES = """
import os, sys
from pathlib import Path
from stages.runner import run_stage

os.chdir(sys.argv[1])
Path("params.yaml").write_bytes(Path(sys.argv[2]).read_bytes())
run_stage("extract", lambda context: Path("out").write_bytes(bytes(1_000_000)))
"""


def test_a_full_disk_ends_a_stage_with_advice(tmp_path: Path) -> None:
    """Whatever it writes; that the tracking cannot be written either is a warning."""
    done = run_on_small_disk(tmp_path, sys.executable, "-c", WRITES, str(tmp_path), str(ROOT / "params.yaml"))
    assert done.returncode == 1
    *warnings, last = done.stderr.splitlines()
    assert last == (
        "extract: [Errno 28] No space left on device. Free space or make the disk writable, then run again: what is "
        "finished is kept."
    )
    assert len(warnings) == 1
    assert "database or disk is full" in warnings[0]
    assert warnings[0].endswith("This run goes on and is not tracked.")


@pytest.mark.parametrize("experiment", [True, False])
def test_a_rejected_experiment_says_how_to_undo_its_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], experiment: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in [name for name in os.environ if name.startswith("DVC_")]:
        monkeypatch.delenv(variable)
    if experiment:
        monkeypatch.setenv("DVC_EXP_NAME", "fast-lane")
    params = (ROOT / "params.yaml").read_text()
    Path("params.yaml").write_text(params)
    for words in ("init -q", "add .", "-c user.name=a -c user.email=a@localhost commit -qm start"):
        subprocess.run(["git", *words.split()], check=True)
    Path("params.yaml").write_text(params.replace("lr: 0.0006", "lr: fast"))
    with pytest.raises(SystemExit):
        run_stage("extract", lambda context: None)
    message = capsys.readouterr().err
    assert "vgnet.lr is 'fast'; it must be a number" in message
    assert ("To undo all changes of the file: git restore params.yaml" in message) == experiment


@pytest.mark.parametrize("stage", ["mfcc", "train_atnet", "declare"])
def test_a_stage_answers_help_and_refuses_arguments(stage: str) -> None:
    before = (ROOT / "dvc.yaml").read_bytes()

    def run(argument: str) -> "subprocess.CompletedProcess[str]":
        return run_forked([sys.executable, "-m", f"stages.{stage}", argument], ROOT, os.environ, apart=True)

    shown = run("--help")
    assert shown.returncode == 0
    assert shown.stdout.startswith(f"usage: python -m stages.{stage}")
    wrong = run("--steps=3")
    assert wrong.returncode == 2
    assert "unrecognized arguments: --steps=3" in wrong.stderr
    assert not shown.stderr
    assert (ROOT / "dvc.yaml").read_bytes() == before
