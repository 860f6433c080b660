"""The environment's interpreter for a stage of a DVC that was called by its path, as ``.venv/bin/dvc repro``.

The shell then finds another ``python3``, which may be of any version: nothing here is newer than Python 3.7. By then
DVC has removed the stage's outs, so that an advice alone would come too late.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec


def find_environment() -> None:
    """Go on as the interpreter that has the packages, where this one has not and a DVC called it."""
    stage = os.environ.get("DVC_STAGE", "").rpartition(":")[2]  # called in a subfolder, DVC says ../dvc.yaml:NAME
    if not stage or find_spec("av") is not None:
        return
    for python in (*_callers(), os.path.join(os.environ.get("DVC_ROOT", "."), ".venv/bin/python")):
        if (
            os.path.exists(python)
            and not subprocess.run([python, "-c", "import av"], stderr=subprocess.DEVNULL).returncode
        ):
            os.execv(python, [python, "-m", f"stages.{stage}", *sys.argv[1:]])
    sys.exit(
        f"{stage}: {sys.executable} does not have the project's packages. Activate the environment (`source "
        ".venv/bin/activate`); `dvc checkout` brings back the outs that DVC removed. Then run the same command again."
    )


def _callers() -> list[str]:
    """The Python interpreters above this process, DVC's among them, where the system tells (Linux)."""
    found, pid = [], os.getppid()
    try:
        while pid:
            with open(f"/proc/{pid}/cmdline") as file:
                program = file.read().split("\0")[0]
            if os.path.basename(program).startswith("python"):
                found.append(program)
            with open(f"/proc/{pid}/stat") as file:
                pid = int(file.read().rpartition(")")[2].split()[1])
    except OSError:
        pass
    return found
