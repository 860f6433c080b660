"""Find the environment's interpreter if DVC was called by its path, as in ``.venv/bin/dvc repro``.

Then ``python3`` is another interpreter, of any version, so this file needs only Python 3.7. A message alone would not
do, because DVC has already removed the stage's outs.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec


def find_environment() -> None:
    """Restart this process with the interpreter that has the packages, if DVC called one that lacks them."""
    stage = os.environ.get("DVC_STAGE", "").rpartition(":")[2]  # ../dvc.yaml:NAME if DVC was called in a subfolder
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
    """The Python interpreters of parent processes, DVC's among them (on Linux; elsewhere none)."""
    programs, pid = [], os.getppid()
    try:
        while pid:
            with open(f"/proc/{pid}/cmdline") as file:
                program = file.read().split("\0")[0]
            if os.path.basename(program).startswith("python"):
                programs.append(program)
            with open(f"/proc/{pid}/stat") as file:
                pid = int(file.read().rpartition(")")[2].split()[1])
    except OSError:
        pass
    return programs
