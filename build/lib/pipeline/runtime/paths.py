"""Where things lie.

Outs are relative to the working directory, which in a DVC experiment's temporary copy is that copy. What must outlive
such a copy (tracking store, resume state, the user's corpora) is anchored in the project itself, which DVC names in
``DVC_ROOT``.
"""

import os
from pathlib import Path

PARAMS = Path("params.yaml")
SYNTHETIC = Path("data/sample")
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
REPORTS = Path("reports")


def project_root() -> Path:
    """The real project folder, also when a stage runs in DVC's temporary copy of it."""
    return Path(os.environ.get("DVC_ROOT", ".")).resolve()


def resume_folder(stage: str) -> Path:
    """Where ``stage`` keeps what it needs to go on after a kill; outside the outs, never committed."""
    return project_root() / ".dvc" / "tmp" / "resume" / stage


def rejected_folder(stage: str) -> Path:
    """Where ``stage`` shows the rejected clips when they are so many that it fails: no out, so it survives."""
    return project_root() / ".dvc" / "tmp" / "rejected" / stage


def jobs() -> int:
    """Worker processes: ``ATVGNET_JOBS``, else one per core. Not a param, since it never changes a result."""
    return _count("ATVGNET_JOBS", "worker processes") or os.cpu_count() or 1


def training_processes() -> int:
    """Processes of this machine in which a training stage trains: ``ATVGNET_PROCESSES``, else 1. Not a param either."""
    return _count("ATVGNET_PROCESSES", "processes that train together") or 1


def _count(variable: str, what: str) -> int | None:
    text = os.environ.get(variable, "")
    if not text:
        return None
    if not text.isdigit() or int(text) < 1:
        from pipeline.runtime.errors import PipelineError

        raise PipelineError(f"{variable} is {text!r}. Set it to a whole number of {what}, at least 1.")
    return int(text)
