"""A disk of a few hundred kB or less for one process, to see what happens when it is full."""

import shutil
import subprocess
from pathlib import Path

import pytest

_MOUNT = 'mount -t tmpfs -o size="$1k" tmpfs "$2" && shift 2 && exec "$@"'


def run_on_small_disk(folder: Path, *command: str, kilobytes: int = 400) -> "subprocess.CompletedProcess[str]":
    """Run ``command`` with such a disk mounted at ``folder``, which goes with it. Skips where no user may do so."""
    own = ["unshare", "--map-root-user", "--mount", "sh", "-c", _MOUNT, "sh", str(kilobytes), str(folder)]
    if not shutil.which("unshare") or subprocess.run([*own, "true"], capture_output=True).returncode:
        pytest.skip("no mount namespaces here, so no small disk for one process")
    return subprocess.run([*own, *command], capture_output=True, text=True)
