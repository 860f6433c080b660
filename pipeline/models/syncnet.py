"""SyncNet (Chung and Zisserman, "Out of time", 2016), with keys and shapes of the published ``syncnet_v2.model``."""

import torch
from torch import Tensor, nn

FRAMES = 5  # frames per feature of the pictures
SIZE = 224  # side of the pictures, in pixels
ROWS = 20  # rows of MFCC per feature of the sound: 0.2 s, like `FRAMES`
FEATURES = 1024
_CHUNK = 16  # windows of pictures at a time: 75 frames at once would take 0.8 GB


class SyncNet(nn.Module):
    """Two towers, for pictures and sound, whose features are close to each other if lips and sound match."""

    def __init__(self) -> None:
        super().__init__()
        self.netcnnaud = nn.Sequential(
            *_conv2d(1, 64, 3, padding=1),
            nn.Identity(),
            *_conv2d(64, 192, 3, padding=1),
            nn.MaxPool2d(3, stride=(1, 2)),
            *_conv2d(192, 384, 3, padding=1),
            *_conv2d(384, 256, 3, padding=1),
            *_conv2d(256, 256, 3, padding=1),
            nn.MaxPool2d(3, stride=2),
            *_conv2d(256, 512, (5, 4), padding=0),
        )
        self.netfcaud = _head()
        self.netfclip = _head()
        self.netcnnlip = nn.Sequential(
            *_conv3d(3, 96, (FRAMES, 7, 7), stride=2, padding=0),
            nn.MaxPool3d((1, 3, 3), stride=(1, 2, 2)),
            *_conv3d(96, 256, (1, 5, 5), stride=2, padding=1),
            nn.MaxPool3d((1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1)),
            *(layer for _ in range(3) for layer in _conv3d(256, 256, (1, 3, 3), stride=1, padding=1)),
            nn.MaxPool3d((1, 3, 3), stride=(1, 2, 2)),
            *_conv3d(256, 512, (1, 6, 6), stride=1, padding=0),
        )

    def see(self, frames_TCHW: Tensor) -> Tensor:
        """Features (T - 4, 1024) of the windows of 5 frames (T, 3, 224, 224), BGR, levels 0 to 255."""
        count = len(frames_TCHW) - FRAMES + 1
        features = [torch.zeros(0, FEATURES)]
        for start in range(0, count, _CHUNK):
            frames = frames_TCHW[start : min(start + _CHUNK, count) + FRAMES - 1]
            # Only the first convolution reads several frames, so windows can share the computation.
            seen_1DT11 = self.netcnnlip(frames.float().transpose(0, 1).unsqueeze(0))
            features.append(self.netfclip(seen_1DT11[0, :, :, 0, 0].T))
        return torch.cat(features)

    def hear(self, mfcc_BCR: Tensor) -> Tensor:
        """Features (B, 1024) of windows of sound (B, 13, 20)."""
        features: Tensor = self.netfcaud(self.netcnnaud(mfcc_BCR.unsqueeze(1)).flatten(1))
        return features


def _conv2d(inputs: int, outputs: int, kernel: int | tuple[int, int], padding: int) -> tuple[nn.Module, ...]:
    return nn.Conv2d(inputs, outputs, kernel, padding=padding), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)


def _conv3d(
    inputs: int, outputs: int, kernel: tuple[int, int, int], stride: int, padding: int
) -> tuple[nn.Module, ...]:
    convolution = nn.Conv3d(inputs, outputs, kernel, stride=(1, stride, stride), padding=(0, padding, padding))
    return convolution, nn.BatchNorm3d(outputs), nn.ReLU(inplace=True)


def _head() -> nn.Sequential:
    return nn.Sequential(nn.Linear(512, 512), nn.BatchNorm1d(512), nn.ReLU(inplace=True), nn.Linear(512, FEATURES))
