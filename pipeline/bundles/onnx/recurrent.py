"""The recurrent layers as ONNX loops. They accept any number of frames, without a copy of the layer per frame."""

from collections.abc import Callable
from typing import TypeVar, cast

import torch
from torch import Tensor, nn
from torch._higher_order_ops.scan import scan

from pipeline.models.atnet import LstmState
from pipeline.models.vgnet import ConvGru

State = TypeVar("State", Tensor, LstmState)


class ScannedGru(ConvGru):
    """A ConvGRU over time that always takes a state. A state of zeros gives the same output as no state."""

    @classmethod
    def of(cls, gru: ConvGru) -> "ScannedGru":
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


class ScannedLstm(nn.Module):
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
