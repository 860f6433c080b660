"""Read an evaluation from the working tree, a git revision, a DVC experiment, or an MLflow run."""

import json
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.evaluation.results import read_table
from pipeline.evaluation.tables import CLIPS, INFO
from pipeline.runtime import paths
from pipeline.runtime.errors import PipelineError
from pipeline.tracking import store as stores
from pipeline.tracking.reachability import trouble

RUN_ID = re.compile(r"[0-9a-f]{32}")
"""The id of an MLflow run. The id of a git commit has 40 digits, or fewer than 32."""

ReadReport = Callable[[str], bytes]
"""Returns a file of the folder ``reports``, or raises FileNotFoundError."""


@dataclass(frozen=True)
class Evaluation:
    """An evaluation: a row per clip and method, and info.json."""

    name: str
    clips: pd.DataFrame
    info: dict[str, Any]


def read_evaluation(name: str | None) -> Evaluation:
    """Read the evaluation of a git revision, a DVC experiment or an MLflow run id; without a name, the one in
    ``reports``.

    Raises PipelineError if the name is unknown, if it has no evaluation, or if the files are not available here.
    """
    if name is None:
        return _evaluation(
            "the working tree", lambda file: (paths.REPORTS / file).read_bytes(), "Run `dvc repro` first."
        )
    if RUN_ID.fullmatch(name):
        return _evaluation(name, _download_run(name).__getitem__, "")
    advice = (
        "It is neither in the cache here nor in a remote: `dvc push` it where it was made, or make it by "
        f"`git switch --detach {name} && dvc repro`, and come back by `git switch -`."
    )
    with _open_revision(name) as read_report:
        return _evaluation(name, read_report, advice)


def _evaluation(name: str, read: ReadReport, advice: str) -> Evaluation:
    try:
        clips = read_table(read(CLIPS))
    except FileNotFoundError as error:
        raise PipelineError(f"The file {paths.REPORTS / CLIPS} of {name} is missing. {advice}") from error
    if "method" not in clips:
        raise PipelineError(
            f"{name} was evaluated by an earlier version of the project, whose {CLIPS} has no row per method. Evaluate "
            "its models with this version, by `atvgnet evaluate --models` or `dvc repro`."
        )
    return Evaluation(name, clips, json.loads(read(INFO)))


@contextmanager
def _open_revision(name: str) -> Iterator[ReadReport]:
    from dvc.exceptions import NotDvcRepoError
    from dvc.repo import Repo
    from dvc.scm import NoSCMError, RevError, resolve_rev

    try:
        repo = Repo()
        revision = resolve_rev(repo.scm, name)
    except (NotDvcRepoError, NoSCMError) as error:
        raise PipelineError(f"{name}: the project's folder with git and DVC is needed to read revisions.") from error
    except RevError as error:
        raise PipelineError(
            f"{name!r} is not a git revision, a DVC experiment or the id of an MLflow run. `git log --oneline` and "
            "`dvc exp list --all` have their names; a shallow clone has the others after `git fetch --unshallow`."
        ) from error
    with repo, repo.switch(revision):
        yield lambda file: bytes(repo.dvcfs.read_bytes((paths.REPORTS / file).as_posix()))


def _download_run(run_id: str) -> dict[str, bytes]:
    """The reports of a stage's run, or of the evaluation that belongs to the run of a whole `dvc repro`."""
    uri = stores.named_uri()
    try:
        client = stores.connect(uri)
        evaluated = client.get_run(run_id).data.tags.get("stage.evaluate", run_id)
        with tempfile.TemporaryDirectory() as folder:
            files = [client.download_artifacts(evaluated, f"{paths.REPORTS}/{name}", folder) for name in (CLIPS, INFO)]
            return {Path(file).name: Path(file).read_bytes() for file in files}
    except stores.store_errors() as error:
        raise PipelineError(
            f"{run_id}: {uri} has no such run with an evaluation ({trouble(error)}). `mlflow ui` shows the ids; "
            "MLFLOW_TRACKING_URI names another store."
        ) from error
