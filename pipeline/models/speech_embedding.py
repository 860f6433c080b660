"""Google's speech embedding without its last layers (Lin et al., ICASSP 2020, arXiv 2002.01322).

The network was trained to tell thousands of spoken phrases apart, by very many voices. Its inner layers therefore hear
what is said and ignore who says it. Its weights are not trained further here.
"""

import torch
from torch import Tensor, nn

BANDS = 32
"""Mel bands of a row (`pipeline.speech.mel.embedding_mel`)."""
ROWS = 60
"""Rows behind the features of one video frame."""
FEATURES = 384
"""Features of one video frame."""
_HOP = 4  # rows from one video frame to the next, and from one output of the layers to the next
_FLOOR = -0.4  # least output of a layer


class SpeechEmbedding(nn.Module):
    """Rows of 32 mel bands to features of video frames. Its weights are frozen.

    Convolutions run along time without padding, so a video frame has the same features in any chunk of speech.
    """

    def __init__(self) -> None:
        super().__init__()
        self.arguments: dict[str, int | str] = {}
        self.first = nn.Conv2d(1, 24, 3, padding=(0, 1), bias=False)
        self.norm = nn.BatchNorm2d(24, eps=1e-3)
        self.layers = nn.Sequential(
            *(_Floor(), _band_conv(24, 24), _time_conv(24, 24), nn.MaxPool2d(2)),
            *(_band_conv(24, 48), _time_conv(48, 48), _band_conv(48, 48), _time_conv(48, 48), nn.MaxPool2d((1, 2))),
            *(_band_conv(48, 72), _time_conv(72, 72), _band_conv(72, 72), _time_conv(72, 72), nn.MaxPool2d(2)),
            *(_band_conv(72, 96), _time_conv(96, 96), _band_conv(96, 96), _time_conv(96, 96), nn.MaxPool2d((1, 2))),
            *(_band_conv(96, 96), _time_conv(96, 96), _band_conv(96, 96), _time_conv(96, 96)),
        )
        self.requires_grad_(False)
        self.train(False)

    def train(self, mode: bool = True) -> "SpeechEmbedding":
        """Stay in eval mode, because the statistics of its batch normalisation are frozen too."""
        return super().train(False)

    def forward(self, windows_BT1RC: Tensor) -> Tensor:
        """Return the features (B, T, 384) of T consecutive frames from their windows (B, T, 1, 60, 32).

        Consecutive windows overlap, so each row is processed once.
        """
        ahead_BRC = windows_BT1RC[:, :-1, 0, :_HOP].flatten(1, 2)
        rows_BRC = torch.cat([ahead_BRC, windows_BT1RC[:, -1, 0]], dim=1)
        steps_BSD = self._steps(rows_BRC)
        return torch.cat([steps_BSD[:, :-1], steps_BSD[:, 1:]], dim=2)

    def _steps(self, rows_BRC: Tensor) -> Tensor:
        """Return the outputs (B, R / 4 - 13, 192) of the last layer."""
        x_BCHW: Tensor = self.layers(self.norm(self.first(rows_BRC[:, None]).relu()))
        return x_BCHW.transpose(1, 2).flatten(2)


class _Floor(nn.Module):
    """LeakyReLU with slope 0.2, and no output below -0.4."""

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        return nn.functional.leaky_relu(x, 0.2).clamp(min=_FLOOR)


def _band_conv(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, (1, 3), padding=(0, 1)), _Floor())


def _time_conv(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, (3, 1)), _Floor())
