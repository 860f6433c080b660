"""Tracking with MLflow; no other package uses it.

Each stage runs in its own process and does

    with tracking.stage("train_vgnet", params, uses=["seed", "vgnet"]) as run:
        run.metrics({"loss": 0.1}, step=10)

A run of the pipeline is a parent run, and each of its stages a child. Tracking never changes an out, and never delays
or ends a training.

| file | purpose |
|---|---|
| `run.py` | the interface for stages: `stage`, `Run` and the training callback |
| `runs.py` | parent and child runs: their names, tags and status |
| `writer.py` | the thread that writes, and continues in the local store if a server dies |
| `owner.py` | the process of a run, told from those of other containers and machines |
| `store.py` | the choice of the store; the fallback; waiting for a locked database |
| `reachability.py` | whether MLFLOW_TRACKING_URI can be a store, and whether a server answers |
| `moved.py` | paths in the database of a project that was moved, renamed or copied |
| `lineage.py` | data with DVC's hashes, and the runs that made them |
| `models.py` | registering networks and bundles, and downloading bundles |
| `best.py` | the alias of the best version of a model |
| `system.py` | load of processor, memory, disk, network and GPU |
"""

from pipeline.tracking.best import Judgement
from pipeline.tracking.run import Run, stage

__all__ = ["Judgement", "Run", "stage"]
