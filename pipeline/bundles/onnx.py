"""Writes a bundle as ONNX: `atnet.onnx`, `vgnet.onnx`, `landmarks.npz`, and `networks.json` (docs/serving.md).

Each network processes a chunk of T frames, a free number, per call; the batch is 1. The recurrent state is an input, of
zeros at first, and an output. Recurrent layers become loops, without a copy of the layer per frame.
"""

import json
import logging
import warnings
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn
from torch._higher_order_ops.scan import scan

from pipeline.bundles.bundle import load_bundle
from pipeline.landmarks.mouth_calibration import CLOSING, GAIN, KNEE
from pipeline.landmarks.pca import FACTOR, FILE
from pipeline.landmarks.points import STABLE
from pipeline.models.atnet import AtNet, LstmState
from pipeline.models.folding import for_inference
from pipeline.models.layers import Shapes
from pipeline.models.vgnet import ConvGru, VgNet
from pipeline.runtime.clock import FPS
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import check_new
from pipeline.runtime.paths import StrPath
from pipeline.speech.features import PER_FRAME

NETWORKS = "networks.json"
_TRACED_FRAMES = 3

State = TypeVar("State", Tensor, LstmState)


class _AtNetChunk(nn.Module):
    """Makes AT-net's `stream` the forward pass."""

    def __init__(self, network: AtNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, reference_BK: Tensor, windows_BT1RC: Tensor, state: LstmState) -> tuple[Tensor, LstmState | None]:
        return self.network.stream(reference_BK, windows_BT1RC, state)


def export_onnx(source: StrPath, to: StrPath) -> None:
    """Write the bundle `source` into the new folder `to`.

    Raises ModuleNotFoundError without the extra `onnx`, and PipelineError if `source` is not a complete bundle of this
    project, its networks carry no state from frame to frame, or `to` exists.
    """
    import onnxscript  # noqa: F401  # PyTorch's exporter needs it, and fails late without it

    check_new(to)
    to, bundle = Path(to), load_bundle(source)
    parts = bundle.trained_here
    if not bundle.atnet.recurrent or bundle.vgnet.gru.recurrence != "time":
        raise PipelineError(
            f"{bundle.folder} has a network without a state from frame to frame, an ablation that is not exported. "
            "Train with atnet.recurrent=true and vgnet.recurrence=time."
        )
    to.mkdir(parents=True)
    record = {  # docs/serving.md explains each entry
        "atnet": _atnet(bundle.atnet, to / "atnet.onnx"),
        "vgnet": _vgnet(bundle.vgnet, to / "vgnet.onnx"),
        "fps": FPS,
        "picture": {"channels": "RGB", "range": [-1, 1]},
        "speech": {
            **parts.speech.record(),
            "dropped": 1,
            "rows_per_frame": PER_FRAME,
            "rows_before": parts.speech.after,
        },
        "crop": asdict(parts.crop),
        "landmarks": {"file": FILE, "factor": FACTOR, "stable": STABLE.tolist()},
        "mouth": {"gain": GAIN, "knee": list(KNEE), "closing": CLOSING},
    }
    parts.landmarks.save(to)
    (to / NETWORKS).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def _atnet(network: AtNet, path: Path) -> dict[str, Any]:
    network = for_inference(network, torch.device("cpu"), "float32")
    lstm = network.lstm
    network.add_module("lstm", _ScannedLstm(lstm))
    state: Shapes = {name: (lstm.num_layers, 1, lstm.hidden_size) for name in ("hidden_3BD", "cell_3BD")}
    return _write(_AtNetChunk(network), path, network.inputs, network.outputs, state)


def _vgnet(network: VgNet, path: Path) -> dict[str, Any]:
    network = for_inference(network, torch.device("cpu"), "float32")
    network.add_module("gru", _ScannedGru.of(network.gru))
    outputs = dict(network.outputs)
    state = {"state_BCHW": outputs.pop("state_BCHW")}
    return _write(network, path, network.inputs, outputs, state)


def _write(network: nn.Module, path: Path, inputs: Shapes, outputs: Shapes, state: Shapes) -> dict[str, Any]:
    """Write the network and return its entry of the record. The last argument of the network is the state."""
    inputs, outputs, state = _batch_of_1(inputs), _batch_of_1(outputs), _batch_of_1(state)
    frames = torch.export.Dim("T", min=1)
    arguments = [torch.zeros([_TRACED_FRAMES if size == -1 else size for size in shape]) for shape in inputs.values()]
    free = [{axis: frames for axis, size in enumerate(shape) if size == -1} for shape in inputs.values()]
    begin = tuple(torch.zeros(shape) for shape in state.values())
    fixed: tuple[dict[int, Any], ...] = tuple({} for _ in state)
    following = {name: f"next_{name}" for name in state}
    with warnings.catch_warnings(action="ignore", category=FutureWarning), torch.no_grad():  # of PyTorch's own code
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        torch.onnx.export(
            network.eval(),
            (*arguments, begin if len(begin) > 1 else begin[0]),
            path,
            input_names=[*inputs, *state],
            output_names=[*outputs, *following.values()],
            dynamic_shapes=(*free, fixed if len(begin) > 1 else fixed[0]),
            external_data=False,
            dynamo=True,
            verbose=False,
        )
    outputs |= {following[name]: shape for name, shape in state.items()}
    return {"file": path.name, "inputs": _free(inputs | state), "outputs": _free(outputs), "state": following}


def _batch_of_1(shapes: Shapes) -> Shapes:
    return {name: (1, *shape[1:]) if shape[0] == -1 else shape for name, shape in shapes.items()}


def _free(shapes: Shapes) -> dict[str, list[int | str]]:
    return {name: ["T" if size == -1 else size for size in shape] for name, shape in shapes.items()}


class _ScannedGru(ConvGru):
    """A ConvGRU over time that always takes a state. A state of zeros gives the same output as no state."""

    @classmethod
    def of(cls, gru: ConvGru) -> "_ScannedGru":
        """Return a copy of `gru` with the same weights."""
        scanned = cls(gru.from_input.in_channels, gru.hidden, gru.recurrence)
        scanned.load_state_dict(gru.state_dict())
        return scanned

    def _run(self, gates_NSCHW: Tensor, state_NCHW: Tensor | None) -> tuple[Tensor, Tensor | None]:
        def step(state_NCHW: Tensor, gates_NCHW: Tensor) -> tuple[Tensor, Tensor]:
            state_NCHW = self._step(gates_NCHW, state_NCHW)
            return state_NCHW, state_NCHW.clone()  # `scan` needs two separate tensors

        assert state_NCHW is not None
        return _over_frames(step, state_NCHW, gates_NSCHW)


class _ScannedLstm(nn.Module):
    """A batch-first LSTM. PyTorch's exporter would fix a plain one to the number of frames of the traced call."""

    def __init__(self, lstm: nn.LSTM) -> None:
        super().__init__()
        self.lstm = lstm

    def forward(self, x_BTD: Tensor, state: LstmState) -> tuple[Tensor, LstmState]:
        """Return the hidden states (B, T, D) of the last layer and the final state, as `nn.LSTM` does."""

        def step(state: LstmState, x_BD: Tensor) -> tuple[LstmState, Tensor]:
            hidden, cells = [], []
            for layer, weights in enumerate(self.lstm.all_weights):
                x_BD, cell_BD = torch.lstm_cell(x_BD, [state[0][layer], state[1][layer]], *weights)
                hidden.append(x_BD)
                cells.append(cell_BD)
            return (torch.stack(hidden), torch.stack(cells)), x_BD.clone()

        return _over_frames(step, state, x_BTD)


def _over_frames(
    step: Callable[[State, Tensor], tuple[State, Tensor]], state: State, x_BT: Tensor
) -> tuple[Tensor, State]:
    """Return the outputs of ``step`` for all frames (B, T, ...), and the state after the last frame."""
    # Frames come first: for any other axis PyTorch before 2.13 exports the output with its axes exchanged.
    state, outputs_TB = cast(tuple[State, Tensor], scan(step, state, x_BT.transpose(0, 1), dim=0))
    return outputs_TB.transpose(0, 1), state
