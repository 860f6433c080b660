"""The recurrent layers as ONNX has them: loops over any number of frames, and not one copy of the layer per frame."""

from collections.abc import Callable
from typing import TypeVar, cast

import torch
from torch import Tensor, nn
from torch._higher_order_ops.scan import scan

from pipeline.models.atnet import LstmState
from pipeline.models.vgnet import ConvGru

State = TypeVar("State", Tensor, LstmState)


class ScannedGru(ConvGru):
    """A ConvGRU over time that begins from a state always; of zeros it makes exactly what it makes of none."""

    @classmethod
    def of(cls, gru: ConvGru) -> "ScannedGru":
        """One of the same weights."""
        inputs = gru.from_input.in_channels
        scanned = cls(inputs, gru.hidden, gru.recurrence)
        scanned.load_state_dict(gru.state_dict())
        return scanned

    def _run(self, gates_NSCHW: Tensor, state_NCHW: Tensor | None) -> tuple[Tensor, Tensor | None]:
        def step(state_NCHW: Tensor, gates_NCHW: Tensor) -> tuple[Tensor, Tensor]:
            state_NCHW = self._step(gates_NCHW, state_NCHW)
            return state_NCHW, state_NCHW.clone()  # `scan` wants two tensors

        assert state_NCHW is not None
        return _over_frames(step, state_NCHW, gates_NSCHW)


class ScannedLstm(nn.Module):
    """An LSTM, batch first, which PyTorch's exporter would fix to the number of frames that it was shown."""

    def __init__(self, lstm: nn.LSTM) -> None:
        super().__init__()
        self.lstm = lstm

    def forward(self, x_BTD: Tensor, state: LstmState) -> tuple[Tensor, LstmState]:
        """As `nn.LSTM`: hidden states (B, T, D) of the last layer, and the state to go on from."""

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
    """What ``step`` makes of each frame (B, T, ...), and the state after the last."""
    # Frames first: along any other axis PyTorch before 2.13 exports what comes out with its axes exchanged.
    state, made_TB = cast(tuple[State, Tensor], scan(step, state, x_BT.transpose(0, 1), dim=0))
    return made_TB.transpose(0, 1), state
