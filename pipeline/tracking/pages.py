"""Addresses of the runs and models in MLflow's web interface, whose start page shows neither."""

import importlib.util
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.tracking import store as stores
from pipeline.tracking.moved import SQLITE
from pipeline.tracking.reachability import SERVERS, trouble, unfit

LOCAL = "http://127.0.0.1:5000"  # the address of `mlflow ui`, unless another port is given


def where_to_look() -> list[str]:
    """Lines that say where to look; none if MLflow is not installed or has no run of the project."""
    uri = stores.named_uri()
    uri = stores.local_uri() if unfit(uri) else uri
    database = uri.removeprefix(SQLITE)
    if importlib.util.find_spec("mlflow") is None or (database != uri and not Path(database).exists()):
        return []
    try:
        experiment = stores.connect(uri).get_experiment_by_name(stores.experiment_name())
    except stores.store_errors() as error:
        return [f"Runs: {uri} cannot be used ({trouble(error)})"]
    if experiment is None:
        return []
    server = uri.rstrip("/") if urlsplit(uri).scheme in SERVERS else LOCAL
    command = "mlflow ui" if uri == stores.local_uri() else f"mlflow ui --backend-store-uri {uri}"
    begin = f"`{command}`, then " if server == LOCAL else ""
    return [
        f"Runs:   {begin}{server}/#/experiments/{experiment.experiment_id}?workflowType=machine_learning",
        f"Models: {begin}{server}/#/models",
    ]
