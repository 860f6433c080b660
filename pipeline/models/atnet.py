"""AT-net: speech to landmarks (Chen et al., CVPR 2019, section 3.2)."""

from typing import Literal

import torch
from torch import Tensor, nn

from pipeline.models.layers import Shapes, conv, plain_conv, scaled, two_linear
from pipeline.models.speech_embedding import FEATURES, ROWS, SpeechEmbedding

LstmState = tuple[Tensor, Tensor]
Encoder = Literal["conv2d", "conv1d", "embedding"]


class AtNet(nn.Module):
    """Predicts the PCA coefficients of the landmarks of each video frame, from the speech around it and a reference.

    An LSTM over the frames reads speech features, `columns` (C) numbers a row, and the `components` (K) coefficients
    of the reference. `recurrent=False` is the paper's single-frame ablation: no reference and no batch normalisation.

    `encoder` turns a window of speech features into a vector: `conv2d`, the paper's, `conv1d` (ours), whose
    convolutions run over time alone, or `embedding` (ours), the frozen `SpeechEmbedding`. One layer of LSTM follows
    ours, and three the paper's. With `embedding` a linear layer also predicts each frame by itself, and the network's
    prediction is the mean of both: the linear layer follows unknown voices better, and the LSTM known ones.
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
        rows = ROWS if encoder == "embedding" else 28
        self.inputs: Shapes = {"reference_BK": (-1, components), "windows_BT1RC": (-1, -1, 1, rows, columns)}
        self.outputs: Shapes = {"coefficients_BTK": (-1, -1, components)}
        self.recurrent, self.encoder = recurrent, encoder
        c128, c192, c256, c512 = (scaled(count, width) for count in (128, 192, 256, 512))
        self.speech: nn.Module
        if encoder == "conv2d":
            self.speech, heard, hidden, layers = _conv2d(columns, width, recurrent), c256, c256, 3
        elif encoder == "conv1d":
            self.speech, heard, hidden, layers = _conv1d(columns, width), c512, c512, 1
        else:
            self.speech, heard, hidden, layers = _Normalised(), c192, c128 if recurrent else FEATURES, 1
        if recurrent:
            self.reference = two_linear(components, c256, c512)
            self.lstm = nn.LSTM(heard + c512, hidden, num_layers=layers, batch_first=True)
        self.coefficients = nn.Linear(hidden, components)
        self.frame_by_frame = encoder == "embedding" and recurrent
        if self.frame_by_frame:
            self.narrow = nn.Sequential(nn.Dropout(0.6), nn.Linear(FEATURES, heard), nn.ReLU(), nn.Dropout(0.2))
            self.linear = nn.Sequential(nn.Dropout(0.5), nn.Linear(FEATURES, components))
            self.resting = nn.Linear(c512, components)

    def forward(self, reference_BK: Tensor, windows_BT1RC: Tensor) -> Tensor:
        """Predict coefficients (B, T, K) from those of the reference (B, K) and speech windows (B, T, 1, R, C)."""
        return self.stream(reference_BK, windows_BT1RC)[0]

    def stream(
        self, reference_BK: Tensor, windows_BT1RC: Tensor, state: LstmState | None = None
    ) -> tuple[Tensor, LstmState | None]:
        """As `forward`; also returns the LSTM's state, to pass with the next frames."""
        speech_BTD = self._heard(windows_BT1RC)
        if not self.recurrent:
            return self.coefficients(speech_BTD), None
        reference_BD = self.reference(reference_BK)
        reference_BTD = reference_BD.unsqueeze(1).expand(-1, speech_BTD.shape[1], -1)
        narrow_BTD = self.narrow(speech_BTD) if self.frame_by_frame else speech_BTD
        hidden_BTD, state = self.lstm(torch.cat([reference_BTD, narrow_BTD], dim=2), state)
        coefficients_BTK: Tensor = self.coefficients(hidden_BTD)
        if self.frame_by_frame:
            linear_BTK = self.linear(speech_BTD) + self.resting(reference_BD).unsqueeze(1)
            coefficients_BTK = self._mean(coefficients_BTK, linear_BTK)
        return coefficients_BTK, state

    def _heard(self, windows_BT1RC: Tensor) -> Tensor:
        """Return the vector (B, T, D) of each window."""
        if isinstance(self.speech, _Normalised):
            features_BTD: Tensor = self.speech(windows_BT1RC)
            return features_BTD
        speech_ND: Tensor = self.speech(windows_BT1RC.flatten(0, 1))
        return speech_ND.reshape(*windows_BT1RC.shape[:2], -1)

    def _mean(self, one_BTK: Tensor, other_BTK: Tensor) -> Tensor:
        """Return the mean of two predictions; in training one of them, so that each learns by itself."""
        if not self.training:
            return (one_BTK + other_BTK) / 2
        chosen_B11 = torch.rand(len(one_BTK), 1, 1, device=one_BTK.device) < 0.5
        return torch.where(chosen_B11, one_BTK, other_BTK)


class _Normalised(nn.Module):
    """The speech embedding of windows (B, T, 1, 60, 32): features (B, T, 384) of mean 0 and deviation 1."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = SpeechEmbedding()
        self.norm = nn.BatchNorm1d(FEATURES, affine=False)

    def forward(self, windows_BT1RC: Tensor) -> Tensor:
        """See the class."""
        features_BTD: Tensor = self.embedding(windows_BT1RC)
        normal_ND: Tensor = self.norm(features_BTD.flatten(0, 1))
        return normal_ND.reshape(features_BTD.shape)


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
