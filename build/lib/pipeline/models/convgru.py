"""A gated recurrent unit whose products are convolutions (Ballas et al., ICLR 2016)."""

from typing import Literal

import torch
from torch import Tensor, nn

Recurrence = Literal["time", "batch", "none"]


class ConvGru(nn.Module):
    """ConvGRU over a sequence of feature maps, 3 x 3 kernels of dilation 2, gates as in `torch.nn.GRU`:

        r = sigmoid(Wr * x + Ur * h)        z = sigmoid(Wz * x + Uz * h)
        n = tanh(Wn * x + r . (Un * h))     h' = (1 - z) . n + z . h

    `recurrence` says what the sequence is: `time`, the frames of each video; `batch`, the videos of the batch, frame
    by frame, as the original release ran (one video alone then starts every frame from zero; for imported
    weights); `none`, every frame from zero (ablation).
    """

    def __init__(self, inputs: int, hidden: int, recurrence: Recurrence = "time") -> None:
        super().__init__()
        self.hidden = hidden
        self.recurrence = recurrence
        self.from_input = nn.Conv2d(inputs, 3 * hidden, 3, padding=2, dilation=2)
        self.from_hidden = nn.Conv2d(hidden, 3 * hidden, 3, padding=2, dilation=2)

    def forward(self, x_BTCHW: Tensor, state_BCHW: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Hidden states (B, T, hidden, H, W), and the state to go on from with the frames that follow (`time` only)."""
        gates_BTCHW = self.from_input(x_BTCHW.flatten(0, 1)).unflatten(0, x_BTCHW.shape[:2])
        if self.recurrence == "time":
            return self._run(gates_BTCHW, state_BCHW)
        if self.recurrence == "batch":
            return self._run(gates_BTCHW.transpose(0, 1), None)[0].transpose(0, 1), None
        return self._step(gates_BTCHW.flatten(0, 1), None).unflatten(0, x_BTCHW.shape[:2]), None

    def _run(self, gates_NSCHW: Tensor, state_NCHW: Tensor | None) -> tuple[Tensor, Tensor | None]:
        states = []
        for gates_NCHW in gates_NSCHW.unbind(1):
            state_NCHW = self._step(gates_NCHW, state_NCHW)
            states.append(state_NCHW)
        return torch.stack(states, dim=1), state_NCHW

    def _step(self, gates_NCHW: Tensor, state_NCHW: Tensor | None) -> Tensor:
        r, z, n = gates_NCHW.chunk(3, dim=1)
        if state_NCHW is None:  # of a zero state, the convolution leaves its bias
            bias = self.from_hidden.bias
            assert bias is not None
            ur, uz, un = bias.view(1, -1, 1, 1).to(gates_NCHW.dtype).chunk(3, dim=1)
            return (1 - torch.sigmoid(z + uz)) * torch.tanh(n + torch.sigmoid(r + ur) * un)
        ur, uz, un = self.from_hidden(state_NCHW).chunk(3, dim=1)
        update = torch.sigmoid(z + uz)
        return (1 - update) * torch.tanh(n + torch.sigmoid(r + ur) * un) + update * state_NCHW
