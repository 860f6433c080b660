"""MLflow, and the only place that speaks it.

Each stage runs in a process of its own and does

    with tracking.stage("train_vgnet", params, uses=["seed", "vgnet"]) as run:
        run.metrics({"loss": 0.1}, step=10)

A run of the pipeline is a parent run, each of its stages a child. Tracking never changes an out, never holds a training
up and never ends one.

| file | its job |
|---|---|
| `run.py` | what a stage sees: `stage`, `Run` and the training's callback |
| `runs.py` | parent and child runs: which belong together, their names, tags and status |
| `writer.py` | the thread that writes, and goes on in the local store when a server dies |
| `owner.py` | whose run it is: a process, told from those of other containers and machines |
| `store.py` | which store is written to; the fallback; a database that another process has locked |
| `address.py` | what MLFLOW_TRACKING_URI may be, and whether anything answers there |
| `moved.py` | the paths in the database of a project that was moved, renamed or copied |
| `lineage.py` | data with DVC's hashes, and which run made which outs |
| `models.py` | the registry: networks and bundles in, bundles out |
| `best.py` | which version of a model is the best, and has the alias |
| `system.py` | load of processor, memory, disk, network and GPU |
"""

from pipeline.tracking.best import Judgement
from pipeline.tracking.run import Run, stage

__all__ = ["Judgement", "Run", "stage"]
