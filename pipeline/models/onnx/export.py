"""Writes a bundle as ONNX: both networks, each a chunk of frames at a time, and the numbers around them.

| file | what |
|---|---|
| `atnet.onnx` | speech windows of T frames -> coefficients, with the LSTM's state in and out |
| `vgnet.onnx` | picture, its landmarks and those of T frames -> frames, with the ConvGRU's state in and out |
| `networks.json` | names and shapes of both, speech features, crop, landmarks: what to feed them (docs/serving.md) |
| `landmarks.npz` | template, mean and basis of the landmarks |

T is free; the batch is 1. States of zeros begin a video.
"""

import json
import logging
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pipeline.models.atnet import AtNet, LstmState
from pipeline.models.bundle import Bundle, load_bundle
from pipeline.models.folding import for_inference
from pipeline.models.onnx.feeding import feeding
from pipeline.models.onnx.recurrent import ScannedGru, ScannedLstm
from pipeline.models.vgnet import VgNet
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import check_new
from pipeline.runtime.paths import StrPath

NETWORKS = "networks.json"
Shapes = dict[str, tuple[int, ...]]
"""By name; -1 stands for a free axis."""
_SHOWN = 3
"""Frames of the call that the exporter follows."""


class _AtNetChunk(nn.Module):
    """AT-net's `stream` as what is called."""

    def __init__(self, network: AtNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, reference_BK: Tensor, windows_BT1RC: Tensor, state: LstmState) -> tuple[Tensor, LstmState | None]:
        return self.network.stream(reference_BK, windows_BT1RC, state)


def export_onnx(source: StrPath, to: StrPath) -> None:
    """Write the bundle `source` into the folder `to`, which is new.

    Raises PipelineError when `source` is not a whole bundle of this project whose networks carry a state from frame to
    frame, or `to` is there already; ModuleNotFoundError without the extra `onnx`.
    """
    import onnxscript  # noqa: F401  # PyTorch's exporter needs it, and says so late

    check_new(to)
    to, bundle = Path(to), load_bundle(source)
    _check(bundle)
    to.mkdir(parents=True)
    record = {"atnet": _atnet(bundle.atnet, to / "atnet.onnx"), "vgnet": _vgnet(bundle.vgnet, to / "vgnet.onnx")}
    assert bundle.landmarks is not None
    bundle.landmarks.save(to)
    (to / NETWORKS).write_text(json.dumps({**record, **feeding(bundle)}, indent=2) + "\n", encoding="utf-8")


def _check(bundle: Bundle) -> None:
    if bundle.landmarks is None:
        raise PipelineError(
            f"{bundle.folder} has networks that are published by others. Give a bundle that was trained here."
        )
    if not bundle.atnet.recurrent or bundle.vgnet.gru.recurrence != "time":
        raise PipelineError(
            f"{bundle.folder} has a network without a state from frame to frame, an ablation that is not exported. "
            "Train with atnet.recurrent=true and vgnet.recurrence=time."
        )


def _atnet(network: AtNet, path: Path) -> dict[str, Any]:
    network = for_inference(network, torch.device("cpu"), "float32")
    lstm = network.lstm
    network.add_module("lstm", ScannedLstm(lstm))
    state: Shapes = {name: (lstm.num_layers, 1, lstm.hidden_size) for name in ("hidden_3BD", "cell_3BD")}
    return _write(_AtNetChunk(network), path, network.inputs, network.outputs, state)


def _vgnet(network: VgNet, path: Path) -> dict[str, Any]:
    network = for_inference(network, torch.device("cpu"), "float32")
    network.add_module("gru", ScannedGru.of(network.gru))
    outputs = dict(network.outputs)
    state = {"state_BCHW": outputs.pop("state_BCHW")}
    return _write(network, path, network.inputs, outputs, state)


def _write(network: nn.Module, path: Path, inputs: Shapes, outputs: Shapes, state: Shapes) -> dict[str, Any]:
    """The network as a file, and what the record says of it; the last argument of its call is the state."""
    frames = torch.export.Dim("T", min=1)
    sizes = [_batch_of_1(shape) for shape in inputs.values()]
    given = [torch.zeros([_SHOWN if size == -1 else size for size in shape]) for shape in sizes]
    free = [{axis: frames for axis, size in enumerate(shape) if size == -1} for shape in sizes]
    begin = tuple(torch.zeros(_batch_of_1(shape)) for shape in state.values())
    fixed: tuple[dict[int, Any], ...] = tuple({} for _ in state)
    following = {name: f"next_{name}" for name in state}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore", FutureWarning)  # of PyTorch, to itself
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        torch.onnx.export(
            network.eval(),
            (*given, begin if len(begin) > 1 else begin[0]),
            path,
            input_names=[*inputs, *state],
            output_names=[*outputs, *following.values()],
            dynamic_shapes=(*free, fixed if len(begin) > 1 else fixed[0]),
            external_data=False,
            dynamo=True,
            verbose=False,
        )
    described = {kind: _described(shapes) for kind, shapes in (("inputs", inputs | state), ("outputs", outputs))}
    described["outputs"] |= {following[name]: described["inputs"][name] for name in state}
    return {"file": path.name, **described, "state": following}


def _batch_of_1(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (1, *shape[1:]) if shape[0] == -1 else shape


def _described(shapes: Shapes) -> dict[str, list[int | str]]:
    return {name: ["T" if size == -1 else size for size in _batch_of_1(shape)] for name, shape in shapes.items()}
