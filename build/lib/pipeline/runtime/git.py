"""What git says of the working tree."""

import subprocess


def git(*arguments: str) -> str:
    """The output of a git command; empty where it fails, as outside a repository or without git."""
    try:
        answer = subprocess.run(["git", *arguments], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.rstrip("\n") if answer.returncode == 0 else ""
