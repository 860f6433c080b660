"""Paths of the project.

Outs are relative to the working directory, which may be DVC's temporary copy of the project for an experiment. The
tracking store, resume state and the user's corpora are in the real project, which DVC names in ``DVC_ROOT``.
"""

import os
from pathlib import Path

StrPath = str | os.PathLike[str]

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
"""The outs that depend on the chosen corpus."""


def project_root() -> Path:
    """The real project folder, also from DVC's temporary copy of it."""
    return Path(os.environ.get("DVC_ROOT", ".")).resolve()


def resume_folder(stage: str) -> Path:
    """Folder in which ``stage`` keeps its state, to resume after a kill; outside the outs, never committed."""
    return project_root() / ".dvc" / "tmp" / "resume" / stage


def rejected_folder(stage: str) -> Path:
    """Folder in which ``stage`` shows the rejected clips if it fails because of them; not an out, so it survives."""
    return project_root() / ".dvc" / "tmp" / "rejected" / stage
