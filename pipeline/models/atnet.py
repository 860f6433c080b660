"""AT-net: speech to landmarks (Chen et al., CVPR 2019, section 3.2)."""

import torch
from torch import Tensor, nn

from pipeline.models.layers import Shapes, conv, plain_conv, scaled, two_linear

LstmState = tuple[Tensor, Tensor]


class AtNet(nn.Module):
    """Predicts the PCA coefficients of the landmarks of each video frame, from the speech around it and a reference.

    An LSTM over the frames reads speech features, `columns` (C) numbers a row, and the `components` (K) coefficients
    of the reference. `recurrent=False` is the paper's single-frame ablation: no reference and no batch normalisation.
    """

    def __init__(self, components: int = 6, width: int = 64, recurrent: bool = True, columns: int = 12) -> None:
        super().__init__()
        self.arguments = {"components": components, "width": width, "recurrent": recurrent, "columns": columns}
        self.inputs: Shapes = {"reference_BK": (-1, components), "windows_BT1RC": (-1, -1, 1, 28, columns)}
        self.outputs: Shapes = {"coefficients_BTK": (-1, -1, components)}
        self.recurrent = recurrent
        c64, c128, c256, c512, c2048 = (scaled(count, width) for count in (64, 128, 256, 512, 2048))
        block = conv if recurrent else plain_conv
        pooled = ((columns - 1) // 2 - 1) // 2  # by two windows of 3 with stride 2
        self.speech = nn.Sequential(  # 1 x 28 x 12: rows, of 10 ms, by cepstral coefficients
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
        if recurrent:
            self.reference = two_linear(components, c256, c512)
            self.lstm = nn.LSTM(c256 + c512, c256, num_layers=3, batch_first=True)
        self.coefficients = nn.Linear(c256, components)

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
