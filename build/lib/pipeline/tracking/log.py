"""Operations that write one thing each to a run: pictures, artifacts, data sets, models."""

import json
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.tracking.lineage import Data
from pipeline.tracking.runs import STAGE, Target
from pipeline.tracking.store import limited
from pipeline.tracking.writer import Operation


def picture(name: str, image_HWC: np.ndarray, step: int) -> Operation:
    """A picture of a step, shown by MLflow as a series over the steps."""
    return lambda target: target.client.log_image(target.child_id, image_HWC, key=name, step=step)


def artifact(path: Path, folder: str | None) -> Operation:
    """A file, or a folder with all it holds."""

    def write(target: Target) -> None:
        if path.is_dir():
            inside = path.name if folder is None else f"{folder}/{path.name}"
            target.client.log_artifacts(target.child_id, str(path), inside)
        else:
            target.client.log_artifact(target.child_id, str(path), folder)

    return write


def figure(name: str, figure: Any) -> Operation:
    """A matplotlib figure, as PNG."""
    import io

    from PIL import Image

    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=120)  # now: the caller may go on drawing
    image = Image.open(data)
    image.load()
    return lambda target: target.client.log_image(target.child_id, image, artifact_file=f"figures/{name}.png")


def inputs(client: Any, run_id: str, data: Iterable[Data], context: str) -> None:
    """Data sets of a run, with DVC's hashes as digests."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    entries = [
        DatasetInput(
            Dataset(
                name=item.path,
                digest=item.md5,
                source_type="dvc",
                source=json.dumps({"path": item.path, "md5": item.md5}),
                profile=json.dumps({"bytes": item.size, "files": item.files}),
            ),
            tags=[InputTag("mlflow.data.context", context)],
        )
        for item in data
        if item.md5
    ]
    if entries:
        client.log_inputs(run_id, entries)


def model(folder: Path, inputs: Mapping[str, np.ndarray], registered: str) -> Operation:
    """The model saved in `folder`, with signature and input example, as the next version of `registered`.

    MLflow's own way for torch models either pickles the module, which loads only beside the very same code, or exports
    its graph, which fixes the number of frames, knows one input and drops the example. So the model goes in as it is
    at rest (safetensors and JSON) beside the library's source, and `pipeline.tracking.served` loads it.
    """

    def write(target: Target) -> None:
        import mlflow.pyfunc
        from mlflow.models import Model, ModelSignature

        from pipeline.tracking import served

        example = {name: np.asarray(value) for name, value in inputs.items()}
        outputs = served.load(folder).predict(example)
        info: Any = limited(
            lambda: Model.log(
                artifact_path=None,
                name=folder.name,
                flavor=mlflow.pyfunc,
                run_id=target.child_id,
                registered_model_name=registered,
                signature=ModelSignature(inputs=_schema(example), outputs=_schema(outputs)),
                input_example=example,
                loader_module=served.__name__,
                data_path=str(folder),
                code_paths=[str(Path(__file__).parents[1])],
                pip_requirements=[f"{name}=={version(name).split('+')[0]}" for name in served.REQUIREMENTS],
            )
        )
        tags = target.client.get_run(target.child_id).data.tags
        for name in ("git.commit", "dvc.exp.name", STAGE):
            if name in tags:
                target.client.set_model_version_tag(registered, info.registered_model_version, name, tags[name])

    return write


def _schema(arrays: Mapping[str, np.ndarray]) -> Any:
    from mlflow.types import Schema, TensorSpec

    return Schema([TensorSpec(array.dtype, _shape(name, array), name) for name, array in arrays.items()])


def _shape(name: str, array: np.ndarray) -> tuple[int, ...]:
    """The shape with -1 for the axes that are free: batch and time, as the array's name says, or just the first."""
    axes = name.rpartition("_")[2]
    axes = axes if len(axes) == array.ndim and axes[0].isupper() else "B" + "x" * (array.ndim - 1)
    return tuple(-1 if axis in "BT" else size for axis, size in zip(axes, array.shape, strict=True))
