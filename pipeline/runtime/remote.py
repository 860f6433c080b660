"""Whether DVC has a remote storage to fetch outs from, so that messages advise `dvc pull` only where it works."""

from configparser import Error, RawConfigParser
from pathlib import Path

from pipeline.runtime.paths import StrPath, project_root

_FILES = ("config", "config.local")  # the second one is this machine's, and counts more


def pull_command(project: StrPath) -> str | None:
    """What fetches the outs of ``project``: `dvc pull`, with `-r NAME` where no remote is the default one.

    None where no remote is set. Reads `.dvc/config` and `.dvc/config.local` without DVC, which a machine that trains or
    generates may lack; a file that cannot be read counts as empty.
    """
    project = Path(project)
    parser = RawConfigParser(strict=False)
    for name in _FILES:
        try:
            parser.read(project / ".dvc" / name, encoding="utf-8")
        except (OSError, UnicodeDecodeError, Error):
            continue
    # DVC writes ['remote "NAME"']
    names = [section.split('"')[1] for section in parser.sections() if section.strip("'").startswith('remote "')]
    if not names:
        return None
    default = parser.get("core", "remote", fallback="")
    return "dvc pull" if default in names else f"dvc pull -r {names[0]}"


def or_pull() -> str:
    """The end of an advice that an out be made: that it can be fetched instead, where that is so."""
    command = pull_command(project_root())
    return f", or `{command}` to fetch it" if command else ""
