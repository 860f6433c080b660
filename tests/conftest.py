"""Fixtures that all tests share: real material, found through the environment or shipped in wheels."""

import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

# Before anything reads it: tests run side by side, and trainings of several threads each would fight over the cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Containers often forbid Python to write bytecode. Each worker and program would then compile the same files again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

import hypothesis
import numpy as np
import pytest
from numpy.typing import NDArray

sys.dont_write_bytecode = False  # of this process, which began with the variable
hypothesis.settings.register_profile("project", deadline=None)  # a busy machine is no fault of the code
hypothesis.settings.load_profile("project")

LONGEST = (
    "stages/test_pipeline.py",
    "test_base_install.py",
    "tracking/test_lineage.py",
    "app/test_app.py",
    "stages/test_experiments.py",
    "test_cli.py",
    "stages/test_places.py",
    "personalize/test_personalize.py",
    "tracking/test_store.py",
    "stages/test_models.py",
    "stages/test_elsewhere.py",
    "docs/test_extending.py",
    "tracking/test_moved.py",
    "stages/test_browser.py",
    "stages/test_size.py",
    "training/test_distribution.py",
    "prepare/test_processors.py",
)
"""Files that take the longest. They come first, since one that starts last would run alone on one core.

The second to the fourth do not need the project that the first makes for all others in `stages`.
"""


IMPORTED = (
    *("dvc.cli.parser", "dvc.scm", "dvc.repo.open_repo", "dvc.repo.experiments.run", "dvc.repo.plots", "dvc.analytics"),
    *("dvc.repo.index", "dvc.repo.graph", "dvc.repo.experiments.queue.celery", "dvc_data.hashfile.status"),
    *("dvc_task.proc", "celery.app.task", "celery.canvas", "pygit2", "dulwich.index", "git", "ruamel.yaml", "hydra"),
    *("networkx", "fsspec.implementations.memory", "alembic.command", "sqlalchemy.dialects.sqlite"),
    *("mlflow.pytorch", "mlflow.pyfunc", "mlflow.tracing.processor", "mlflow.system_metrics.system_metrics_monitor"),
    *("mlflow.store.tracking.sqlalchemy_workspace_store", "mlflow.store.model_registry.sqlalchemy_workspace_store"),
    *("torch._dynamo", "torch.distributed.checkpoint", "pyarrow.dataset", "joblib.externals.loky", "rich.progress"),
    *("rich.status", "matplotlib.backends.backend_svg", "pandas.io.formats.csvs"),
    *(f"stages.{stage}" for stage in ("sample", "extract", "landmarks", "pca", "mfcc", "train_vgnet", "evaluate")),
    *("pipeline.cli", "pipeline.inference.video", "pipeline.inference.batch", "pipeline.evaluation.models"),
    *("pipeline.evaluation.comparison.paired", "pipeline.reports.page", "pipeline.reports.terminal"),
    *("pipeline.corpora.registry", "tests.commands", "tests.forked", "tests.preloaded"),
)
"""What is imported once in each worker, in the process from which tests fork programs."""


def pytest_configure() -> None:
    """The first forked program starts the process with these imports."""
    multiprocessing.get_context("forkserver").set_forkserver_preload(list(IMPORTED))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, the others in the order in which they are found."""
    places = {Path(__file__).parent / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


def _nothing(number: int, frame: FrameType | None) -> None:
    pass


@pytest.fixture(scope="session", autouse=True)
def _signals() -> None:
    """Let the programs that tests start begin with the default signals, also under `nohup` and in the background.

    An ignored signal is inherited by programs, a handler is not.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, _nothing)


def _folder(variable: str) -> Path:
    value = os.environ.get(variable)
    if not value:
        pytest.skip(f"{variable} is not set: the material this test needs is not part of the project")
    return Path(value)


@pytest.fixture(scope="session")
def corpora() -> Path:
    """Real GRID and LRW-like clips."""
    return _folder("ATVGNET_CORPORA")


@pytest.fixture(scope="session")
def original() -> Path:
    """Recorded outputs of the original release."""
    return _folder("ATVGNET_UPSTREAM")


@pytest.fixture(scope="session")
def photograph() -> NDArray[np.uint8]:
    """A real photograph with one face, RGB (512, 512, 3)."""
    from skimage import data

    return np.asarray(data.astronaut(), np.uint8)


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that everybody may write to and go through (tests/as_nobody.py)."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def _no_store_of_another_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow puts the store it is told of into the environment, where the next test's processes would find it."""
    for name in [name for name in os.environ if name.startswith(("MLFLOW_", "_MLFLOW_"))]:
        monkeypatch.delenv(name)
