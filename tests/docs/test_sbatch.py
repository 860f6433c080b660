"""docs/atvgnet.sbatch runs on a cluster of one node, this machine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SRUN = '#!/bin/sh\nexec "$@"\n'
DVC = f"""#!{sys.executable}
import os
import sys

from pipeline.runtime.workers import run

results = list(run([(pow, (number, 2), {{}}) for number in range(9)], 1, ordered=True))
print("dvc", *sys.argv[1:], os.environ["DASK_SCHEDULER_ADDRESS"], results)
"""


@pytest.mark.slow
def test_the_batch_script_starts_a_cluster_and_cleans_up(tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name, text in {"srun": SRUN, "dvc": DVC}.items():
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    (tmp_path / ".venv/bin").mkdir(parents=True)
    path = f"{tools}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    (tmp_path / ".venv/bin/activate").write_text(f"export PATH='{path}'\n")
    job = {"SLURM_SUBMIT_DIR": str(tmp_path), "SLURM_JOB_ID": "7", "SLURM_NNODES": "1", "SLURM_CPUS_PER_TASK": "2"}
    done = subprocess.run(
        ["bash", ROOT / "docs/atvgnet.sbatch"],
        env={**os.environ, **job, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("dvc repro landmarks mfcc tcp://")
    assert done.stdout.endswith(" [0, 1, 4, 9, 16, 25, 36, 49, 64]\n")
    assert not list((tmp_path / ".dvc/tmp").iterdir())
