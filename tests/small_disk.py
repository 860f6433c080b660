"""A disk of a few hundred kB for one process, to see what happens when it is full."""

import shutil
import subprocess
from pathlib import Path

import pytest

_MOUNT = 'mount -t tmpfs -o size=400k tmpfs "$1" && shift && exec "$@"'


def run_on_small_disk(folder: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    """Run ``command`` with such a disk mounted at ``folder``, which goes with it. Skips where no user may do so."""
    own = ["unshare", "--map-root-user", "--mount", "sh", "-c", _MOUNT, "sh", str(folder)]
    if not shutil.which("unshare") or subprocess.run([*own, "true"], capture_output=True).returncode:
        pytest.skip("no mount namespaces here, so no small disk for one process")
    return subprocess.run([*own, *command], capture_output=True, text=True)
