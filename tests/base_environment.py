"""A Python environment with the base requirements of the project only."""

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

from tests.factories import ROOT


def base_environment(folder: Path) -> Path:
    """Install the project without extras into a new environment, and return the folder of its programs.

    Its requirements are links to the packages of this environment. Copies would take half a minute.
    """
    venv = folder / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    (packages,) = venv.glob("lib/python*/site-packages")
    for one in requirements():
        for name in {file.parts[0] for file in one.files or ()} - {"..", "__pycache__"}:
            if not (packages / name).exists():  # a namespace that several distributions share
                (packages / name).symlink_to(str(one.locate_file(name)))
    source = folder / "source"  # a build leaves files beside what it builds
    shutil.copytree(ROOT / "pipeline", source / "pipeline", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy2(ROOT / name, source)
    options = ["--quiet", "--no-compile", "--no-deps", "--no-build-isolation", "--no-index"]
    for command in (["install", *options, str(source)], ["check"]):
        pip(venv / "bin", *command)
    return venv / "bin"


def pip(programs: Path, *arguments: str) -> str:
    """Run this environment's pip on the other, and return its output."""
    command = [sys.executable, "-m", "pip", "--python", str(programs / "python"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def requirements() -> Iterator[Distribution]:
    """Yield what the base requirements name, and what that requires in turn."""
    names = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    pending = [Requirement(name) for name in names]
    seen = set()
    while pending:
        one = pending.pop()
        extras = ("", *sorted(one.extras))
        if (one.name.lower(), extras) in seen:
            continue
        seen.add((one.name.lower(), extras))
        found = distribution(one.name)
        yield found
        for below in map(Requirement, found.requires or ()):
            if not below.marker or any(below.marker.evaluate({"extra": extra}) for extra in extras):
                pending.append(below)
