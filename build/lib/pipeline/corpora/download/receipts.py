"""What has been unpacked whole, so that a second call need not ask anybody."""

import json
from collections.abc import Mapping
from pathlib import Path


def read_receipt(folder: Path, hidden: Path, name: str) -> dict[str, int] | None:
    """The files of ``name`` below ``folder`` and their sizes; None unless every one of them is there with its size."""
    try:
        files: dict[str, int] = json.loads((hidden / f"{name}.json").read_text(encoding="utf-8"))
        there = all((folder / path).stat().st_size == size for path, size in files.items())
    except (OSError, ValueError):
        return None
    return files if there else None


def write_receipt(hidden: Path, name: str, files: Mapping[str, int]) -> None:
    """Note that ``files`` are all of ``name``."""
    temporary = hidden / f".{name}.tmp"
    temporary.write_text(json.dumps(files), encoding="utf-8")
    temporary.replace(hidden / f"{name}.json")
