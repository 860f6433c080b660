"""Whether git has the project as DVC needs it:

    python -m pipeline.runtime.checkout

`make repro` asks before it installs anything, so this takes the standard library alone. DVC refuses a folder in no git
repository; experiments take more than `dvc repro` does.
"""

import os
import shutil
import subprocess
from pathlib import Path

from pipeline.runtime.errors import PipelineError, clear_errors
from pipeline.runtime.git import git
from pipeline.runtime.paths import project_root

_COMMIT = "git add -A && git commit -m start"
_SHALLOW = "This clone is shallow (git clone --depth)"
_UNSHALLOW = "Get the rest first: git fetch --unshallow"


def check_checkout(folder: Path) -> list[str]:
    """What experiments will miss in ``folder``, the project; PipelineError where DVC runs nothing at all."""
    if not any((place / ".git").exists() for place in (folder.resolve(), *folder.resolve().parents)):
        raise PipelineError(
            f"{folder.resolve()} is not a git clone, like a download without history, and DVC works in clones alone. "
            f"Run `git init && {_COMMIT}` there, then this again."
        )
    where = "-C", str(folder)
    if shutil.which("git") is None:
        return ["git is not installed: `dvc exp` will not work, and runs will not say of which commit they are."]
    asked = subprocess.run(["git", *where, "rev-parse", "--git-dir"], capture_output=True, text=True, check=False)
    if said := " ".join(asked.stderr.split()):
        if "safe.directory" not in said:  # which stops experiments alone
            raise PipelineError(f"git cannot read {folder.resolve()}: {said}. Fix that, or clone again.")
        return [f"`dvc exp` will not work: {said}"]
    faults = []
    if not git(*where, "ls-tree", "HEAD", "dvc.yaml"):
        top = git(*where, "rev-parse", "--show-toplevel")
        begin = "" if os.path.samefile(top, folder) else "git init && "
        faults.append(f"No commit of {top} has dvc.yaml, so `dvc exp` will not work. Make one: {begin}{_COMMIT}")
    if is_shallow(folder):
        faults.append(f"{_SHALLOW}: `dvc exp run --queue` and `--temp` refuse to work. {_UNSHALLOW}")
    return faults


def is_shallow(folder: Path) -> bool:
    """Whether the history of the repository of ``folder`` is cut off."""
    return git("-C", str(folder), "rev-parse", "--is-shallow-repository") == "true"


def check_experiment() -> None:
    """PipelineError in the copy in which DVC runs an experiment of a shallow clone: it would lose the results."""
    project = project_root()
    if not project.samefile(".") and is_shallow(project):
        raise PipelineError(
            f"{_SHALLOW}, in which DVC loses experiments that run in a copy of it, as with --queue and --temp. "
            f"{_UNSHALLOW}"
        )


if __name__ == "__main__":
    with clear_errors("make"):
        for line in check_checkout(Path()):
            print(f"note: {line}")
