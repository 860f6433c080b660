"""AT-net: speech to landmarks (Chen et al., CVPR 2019, section 3.2)."""

from typing import Literal

import torch
from torch import Tensor, nn

from pipeline.models.layers import Shapes, conv, plain_conv, scaled, two_linear

LstmState = tuple[Tensor, Tensor]
Encoder = Literal["conv2d", "conv1d"]


class AtNet(nn.Module):
    """Predicts the PCA coefficients of the landmarks of each video frame, from the speech around it and a reference.

    An LSTM over the frames reads speech features, `columns` (C) numbers a row, and the `components` (K) coefficients
    of the reference. `recurrent=False` is the paper's single-frame ablation: no reference and no batch normalisation.

    `encoder` turns a window of speech features into a vector: `conv2d`, the paper's, or `conv1d` (ours), whose
    convolutions run over time alone. One layer of LSTM follows it, and three the paper's.
    """

    def __init__(
        self,
        components: int = 6,
        width: int = 64,
        recurrent: bool = True,
        columns: int = 12,
        encoder: Encoder = "conv2d",
    ) -> None:
        super().__init__()
        self.arguments: dict[str, int | str] = {"components": components, "width": width}
        self.arguments |= {"recurrent": recurrent, "columns": columns}
        if encoder != "conv2d":  # so that files of the paper's network keep their bytes
            self.arguments["encoder"] = encoder
        self.inputs: Shapes = {"reference_BK": (-1, components), "windows_BT1RC": (-1, -1, 1, 28, columns)}
        self.outputs: Shapes = {"coefficients_BTK": (-1, -1, components)}
        self.recurrent = recurrent
        c256, c512 = (scaled(count, width) for count in (256, 512))
        if encoder == "conv2d":
            self.speech, heard, hidden, layers = _conv2d(columns, width, recurrent), c256, c256, 3
        else:
            self.speech, heard, hidden, layers = _conv1d(columns, width), c512, c512, 1
        if recurrent:
            self.reference = two_linear(components, c256, c512)
            self.lstm = nn.LSTM(heard + c512, hidden, num_layers=layers, batch_first=True)
        self.coefficients = nn.Linear(hidden, components)

    def forward(self, reference_BK: Tensor, windows_BT1RC: Tensor) -> Tensor:
        """Predict coefficients (B, T, K) from those of the reference (B, K) and speech windows (B, T, 1, 28, C)."""
        return self.stream(reference_BK, windows_BT1RC)[0]

    def stream(
        self, reference_BK: Tensor, windows_BT1RC: Tensor, state: LstmState | None = None
    ) -> tuple[Tensor, LstmState | None]:
        """As `forward`; also returns the LSTM's state, to pass with the next frames."""
        batch, frames = windows_BT1RC.shape[:2]
        speech_BTD = self.speech(windows_BT1RC.flatten(0, 1)).unflatten(0, (batch, frames))
        if not self.recurrent:
            return self.coefficients(speech_BTD), None
        reference_BTD = self.reference(reference_BK).unsqueeze(1).expand(-1, frames, -1)
        hidden_BTD, state = self.lstm(torch.cat([reference_BTD, speech_BTD], dim=2), state)
        return self.coefficients(hidden_BTD), state


def _conv2d(columns: int, width: int, recurrent: bool) -> nn.Sequential:
    """Windows (N, 1, 28, C) to vectors (N, 256) at width 64."""
    c64, c128, c256, c512, c2048 = (scaled(count, width) for count in (64, 128, 256, 512, 2048))
    block = conv if recurrent else plain_conv
    pooled = ((columns - 1) // 2 - 1) // 2  # by two windows of 3 with stride 2
    return nn.Sequential(  # 1 x 28 x 12: rows, of 10 ms, by cepstral coefficients
        block(1, c64),
        block(c64, c128),
        nn.MaxPool2d(3, stride=(1, 2)),  # 26 x 5
        block(c128, c256),
        block(c256, c256),
        block(c256, c512),
        nn.MaxPool2d(3, stride=(2, 2)),  # 12 x 2
        nn.Flatten(),
        *two_linear(c512 * 12 * pooled, c2048, c256),
    )


def _conv1d(columns: int, width: int) -> nn.Sequential:
    """Windows (N, 1, 28, C) to vectors (N, 512) at width 64."""
    c256, c512 = (scaled(count, width) for count in (256, 512))
    return nn.Sequential(
        nn.Flatten(1, 2),
        _Transposed(),  # C x 28
        *(nn.Conv1d(columns, c256, 5, stride=2, padding=2), nn.ReLU()),  # 14 steps of 20 ms
        *(nn.Conv1d(c256, c256, 3, padding=1), nn.ReLU()),
        *(nn.Conv1d(c256, c256, 3, stride=2, padding=1), nn.ReLU()),  # 7 steps of 40 ms
        nn.Dropout(0.2),
        nn.Flatten(),
        *(nn.Linear(c256 * 7, c512), nn.ReLU()),
    )


class _Transposed(nn.Module):
    """(N, R, C) to (N, C, R)."""

    def forward(self, x_NRC: Tensor) -> Tensor:
        """See the class."""
        return x_NRC.transpose(1, 2)
