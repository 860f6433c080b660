"""The project as git and DVC see it. `make repro` runs this file before anything is installed:

    python -m pipeline.runtime.checkout

so it needs only the standard library. It checks whether git has the project as DVC needs it: DVC refuses a folder
outside a git repository, and experiments need more than `dvc repro`.
"""

import os
import shutil
import subprocess
from configparser import Error, RawConfigParser
from pathlib import Path

from pipeline.runtime.errors import PipelineError, clear_errors
from pipeline.runtime.paths import StrPath, project_root

_COMMIT = "git add -A && git commit -m start"
_SHALLOW = "This clone is shallow (git clone --depth)"
_UNSHALLOW = "Get the rest first: git fetch --unshallow"


def git(*arguments: str) -> str:
    """The output of a git command; empty if it fails, as outside a repository or without git."""
    try:
        answer = subprocess.run(["git", *arguments], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.rstrip("\n") if answer.returncode == 0 else ""


def check_checkout(folder: Path) -> list[str]:
    """The reasons why experiments will not work in the project's ``folder``.

    Raises PipelineError if DVC cannot run at all.
    """
    if not any((place / ".git").exists() for place in (folder.resolve(), *folder.resolve().parents)):
        fault = f"{folder.resolve()} is not a git clone, like a download without history, and DVC works in clones alone"
        raise PipelineError(fault, advice=f"Run `git init && {_COMMIT}` there, then this again.")
    if shutil.which("git") is None:
        return ["git is not installed: `dvc exp` will not work, and runs will not say of which commit they are."]
    where = "-C", str(folder)
    answer = subprocess.run(["git", *where, "rev-parse", "--git-dir"], capture_output=True, text=True, check=False)
    if message := " ".join(answer.stderr.split()):
        if "safe.directory" not in message:  # that one stops only experiments
            raise PipelineError(f"git cannot read {folder.resolve()}: {message}. Fix that, or clone again.")
        return [f"`dvc exp` will not work: {message}"]
    faults = []
    if not git(*where, "ls-tree", "HEAD", "dvc.yaml"):
        top = git(*where, "rev-parse", "--show-toplevel")
        begin = "" if os.path.samefile(top, folder) else "git init && "
        faults.append(f"No commit of {top} has dvc.yaml, so `dvc exp` will not work. Make one: {begin}{_COMMIT}")
    if is_shallow(folder):
        faults.append(f"{_SHALLOW}: `dvc exp run --queue` and `--temp` refuse to work. {_UNSHALLOW}")
    return faults


def is_shallow(folder: Path) -> bool:
    """Whether the repository of ``folder`` has only a part of its history."""
    return git("-C", str(folder), "rev-parse", "--is-shallow-repository") == "true"


def check_experiment() -> None:
    """Raise PipelineError in DVC's temporary copy of a shallow clone, where an experiment's results would be lost."""
    project = project_root()
    if not project.samefile(".") and is_shallow(project):
        fault = f"{_SHALLOW}, in which DVC loses experiments that run in a copy of it, as with --queue and --temp"
        raise PipelineError(fault, advice=_UNSHALLOW)


def pull_command(project: StrPath) -> str | None:
    """The command that fetches the outs of ``project``: `dvc pull`, with `-r NAME` if no remote is the default.

    None if no remote is set. Reads `.dvc/config` and `.dvc/config.local` (which takes precedence) without DVC, because
    machines that only train or generate may lack it. Unreadable files count as empty.
    """
    parser = RawConfigParser(strict=False)
    for name in ("config", "config.local"):
        try:
            parser.read(Path(project) / ".dvc" / name, encoding="utf-8")
        except (OSError, UnicodeDecodeError, Error):
            continue
    # DVC writes ['remote "NAME"']
    names = [section.split('"')[1] for section in parser.sections() if section.strip("'").startswith('remote "')]
    if not names:
        return None
    default = parser.get("core", "remote", fallback="")
    return "dvc pull" if default in names else f"dvc pull -r {names[0]}"


def or_pull() -> str:
    """The end of an advice to make an out: how to fetch it instead, if there is a remote."""
    command = pull_command(project_root())
    return f", or `{command}` to fetch it" if command else ""


if __name__ == "__main__":
    with clear_errors("make"):
        for line in check_checkout(Path()):
            print(f"note: {line}")
