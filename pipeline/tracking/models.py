"""Register networks and bundles in MLflow, and download bundles.

Models are registered as their files with the library's source, a module of which loads them. MLflow's flavour for torch
would pickle the module, or export its graph with a fixed number of frames.
"""

import atexit
import re
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.bundles.location import check_source
from pipeline.config.generation import SETTINGS, Settings
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import check_new
from pipeline.tracking import store as stores
from pipeline.tracking.best import BEST
from pipeline.tracking.moved import SQLITE
from pipeline.tracking.reachability import trouble, unfit, unreachable
from pipeline.tracking.runs import COMMIT, EXPERIMENT, STAGE, Target

NETWORK_LOADER = "pipeline.bundles.served_network"
NETWORK_REQUIREMENTS = ("numpy", "safetensors", "torch")
BUNDLE_LOADER = "pipeline.inference.served"
BUNDLE_REQUIREMENTS = (
    "av", "dlib-bin", "face_recognition_models", "joblib", "librosa", "numba", "numpy", "opencv-python-headless",
    "pandas", "pillow", "pillow_heif", "safetensors", "scikit-image", "scipy", "torch",
)  # fmt: skip
BUNDLE_PARTS = ("landmarks", "atnet", "vgnet", "bundle.json", "provenance.json")
_MLFLOW_TYPES = {"face": "string", "number": "double", "whole number": "long", "flag": "boolean"}
BUNDLE_PARAMS = {entry.name: (_MLFLOW_TYPES[SETTINGS[entry.name].kind], entry.default) for entry in fields(Settings)}
"""Type and default of each parameter of a served bundle."""


def network(target: Target, folder: Path, example: Mapping[str, np.ndarray], registered: str) -> None:
    """Register the network in `folder`, with its signature and an `example` input, as a version of `registered`."""
    from mlflow.models import ModelSignature
    from mlflow.types import Schema, TensorSpec

    from pipeline.bundles.served_network import ServedNetwork

    def schema(shapes: Mapping[str, tuple[int, ...]]) -> Any:
        return Schema([TensorSpec(np.dtype("float32"), shape, name) for name, shape in shapes.items()])

    network = ServedNetwork(folder).network
    signature = ModelSignature(inputs=schema(network.inputs), outputs=schema(network.outputs))
    model = _model(folder, NETWORK_LOADER, NETWORK_REQUIREMENTS, signature)
    _register(target, folder.name, registered, model, dict(example))


def bundle(target: Target, folder: Path, registered: str) -> None:
    """Register the bundle in `folder`, without the discriminator, as a version of `registered`."""
    with _bundle_model(folder, registered) as model:
        _register(target, registered, registered, model)


def save_bundle(folder: Path, to: Path) -> None:
    """Write the bundle in `folder` as an MLflow model into `to`, without a store; PipelineError if `to` exists."""
    import mlflow.pyfunc

    check_new(to)
    with _bundle_model(folder, "bundle") as model, warnings.catch_warnings(action="ignore", category=UserWarning):
        mlflow.pyfunc.save_model(to, **model)  # warns that the input has no example


@contextmanager
def _bundle_model(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    """`_model` of a copy, in a folder called ``name``, of the parts of a bundle that generation needs."""
    with tempfile.TemporaryDirectory() as staging:
        copy = Path(staging) / name
        copy.mkdir()
        for source in (folder / part for part in BUNDLE_PARTS):
            if source.is_dir():
                shutil.copytree(source, copy / source.name, ignore=shutil.ignore_patterns("discriminator.*"))
            elif source.exists():
                shutil.copy(source, copy)
        yield _model(copy, BUNDLE_LOADER, BUNDLE_REQUIREMENTS, bundle_signature())


def bundle_signature() -> Any:
    """MLflow's signature of a bundle, a row per video. Files are strings: MLflow's Base64 decoder spoils data URLs."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema

    inputs = Schema([ColSpec("string", name) for name in ("picture", "speech")])
    params = ParamSchema([ParamSpec(name, kind, default) for name, (kind, default) in BUNDLE_PARAMS.items()])
    return ModelSignature(inputs=inputs, outputs=Schema([ColSpec("binary", "video")]), params=params)


def fetch_bundle(uri: str) -> Path:
    """Download a registered bundle, `models:/NAME@ALIAS` or `models:/NAME/VERSION`; returns a temporary folder.

    The store is MLFLOW_TRACKING_URI, or the project's own. Raises PipelineError if MLflow is not installed, the store
    does not answer, or it has no such bundle.
    """
    parts = re.fullmatch(r"models:/([^/@]+)(?:@([^/@]+)|/(\d+))", uri)
    if not parts:
        raise PipelineError(f"{uri} is not the address of a model. Give models:/NAME@ALIAS or models:/NAME/VERSION.")
    check_source(uri)
    store = stores.named_uri()
    if why := unfit(store):
        raise PipelineError(f"{uri} cannot be fetched: MLFLOW_TRACKING_URI={store} {why}.")
    problem = unreachable(store)
    if store.startswith(SQLITE) and not Path(store.removeprefix(SQLITE)).exists():
        problem = "the file does not exist"
    if problem:
        raise PipelineError(
            f"{uri} cannot be fetched from {store}: {problem}. Start in the project's folder, or set "
            "MLFLOW_TRACKING_URI to the store that has it."
        )
    try:
        return _download(stores.connect(store), store, uri, *parts.groups())
    except stores.store_errors() as error:
        raise PipelineError(
            f"{uri} cannot be fetched from {store}: {trouble(error)}. See what it has with `mlflow ui`."
        ) from error


def _download(client: Any, store: str, uri: str, name: str, alias: str | None, number: str | None) -> Path:
    from mlflow.artifacts import download_artifacts
    from mlflow.models import Model

    models = {model.name: model for model in client.search_registered_models(max_results=1000)}
    if name not in models:
        raise PipelineError(f"{store} has no model {name}. It has: {', '.join(models) or 'none'}.")
    aliases = models[name].aliases
    numbers = sorted(int(found.version) for found in client.search_model_versions(f"name = '{name}'"))
    chosen = aliases.get(alias) if alias else number if int(number or 0) in numbers else None
    if chosen is None:
        raise PipelineError(
            f"{store} has no {uri}. {name} has the aliases {', '.join(aliases) or '(none)'} and the versions "
            f"{', '.join(map(str, numbers))}."
        )
    folder = tempfile.mkdtemp(prefix="atvgnet-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    source = client.get_model_version_download_uri(name, str(chosen))
    card = download_artifacts(f"{source}/MLmodel", dst_path=folder, tracking_uri=store)
    flavor = Model.load(card).flavors["python_function"]
    if flavor["loader_module"] != BUNDLE_LOADER:
        raise PipelineError(f"{uri} is not a bundle. Give one, such as models:/atvgnet@{BEST}.")
    return Path(download_artifacts(f"{source}/{flavor['data']}", dst_path=folder, tracking_uri=store))


def _register(
    target: Target,
    name: str,
    registered: str,
    model: Mapping[str, Any],
    example: Mapping[str, np.ndarray] | None = None,
) -> None:
    """Log a `model` from `_model`, with an `example` input, to the stage's run, as the next version of `registered`."""
    import mlflow.pyfunc
    from mlflow.models import Model

    info: Any = stores.retry_locked(
        lambda: Model.log(
            artifact_path=None,
            name=name,
            flavor=mlflow.pyfunc,
            run_id=target.child_id,
            registered_model_name=registered,
            input_example=example,
            **model,
        )
    )
    tags = target.client.get_run(target.child_id).data.tags
    for tag in {COMMIT, EXPERIMENT, STAGE} & tags.keys():
        target.client.set_model_version_tag(registered, info.registered_model_version, tag, tags[tag])


def _model(folder: Path, loader: str, requirements: Sequence[str], signature: Any) -> dict[str, Any]:
    """Arguments for MLflow; the library's source is included, because a module of it loads the model."""
    return {
        "signature": signature,
        "loader_module": loader,
        "data_path": str(folder),
        "code_paths": [str(Path(__file__).parents[1])],
        "pip_requirements": [f"{name}=={version(name).split('+')[0]}" for name in requirements],
    }
