"""Where things lie.

Outs are relative to the working directory, which in a DVC experiment's temporary copy is that copy. What must outlive
such a copy (tracking store, resume state, the user's corpora) is anchored in the project itself, which DVC names in
``DVC_ROOT``.
"""

import os
from pathlib import Path

StrPath = str | os.PathLike[str]
"""What a function takes that reads or writes a file."""

PARAMS = Path("params.yaml")
SYNTHETIC = Path("data/sample")
PORTRAITS = Path("data/portraits")
DATA = Path("data")
CLIPS = DATA / "clips"
FACES = DATA / "faces"
QUALITY = DATA / "quality"
MFCC = DATA / "mfcc"
MODELS = Path("models")
LANDMARKS_MODEL = MODELS / "landmarks"
ATNET = MODELS / "atnet"
VGNET = MODELS / "vgnet"
PUBLISHED = MODELS / "published"
PRETRAINED = MODELS / "pretrained"
REPORTS = Path("reports")
STUDIES = Path("studies")
OUTS = (PORTRAITS, CLIPS, FACES, QUALITY, MFCC, MODELS, REPORTS)
"""Where stages write what they make of a corpus."""


def project_root() -> Path:
    """The real project folder, also when a stage runs in DVC's temporary copy of it."""
    return Path(os.environ.get("DVC_ROOT", ".")).resolve()


def resume_folder(stage: str) -> Path:
    """Where ``stage`` keeps what it needs to go on after a kill; outside the outs, never committed."""
    return project_root() / ".dvc" / "tmp" / "resume" / stage


def rejected_folder(stage: str) -> Path:
    """Where ``stage`` shows the rejected clips when they are so many that it fails: no out, so it survives."""
    return project_root() / ".dvc" / "tmp" / "rejected" / stage
