"""Building blocks of the networks."""

from torch import Tensor, nn

Shapes = dict[str, tuple[int, ...]]  # shapes by name; -1 stands for a free axis


def scaled(channels: int, width: int) -> int:
    """The number of channels at `width`, if it is `channels` in the paper, whose width is 64; at least 1."""
    return max(1, channels * width // 64)


def has_outer_level(size: int) -> bool:
    """Whether pictures of this `size` need one more level: False for 128, True for 256; ValueError for others."""
    if size not in (128, 256):
        raise ValueError(f"size must be 128 or 256, not {size}")
    return size == 256


def conv(inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1, padding: int = 1) -> nn.Sequential:
    """Convolution without bias, batch normalisation, ReLU."""
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


def plain_conv(inputs: int, outputs: int, *, stride: int = 1) -> nn.Sequential:
    """Convolution with bias, ReLU."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1), nn.ReLU(inplace=True))


def upsample(inputs: int, outputs: int, *, bias: bool = False) -> nn.Sequential:
    """Transposed convolution to twice the height and width, batch normalisation, ReLU."""
    twice = nn.ConvTranspose2d(inputs, outputs, 3, stride=2, padding=1, output_padding=1, bias=bias)
    return nn.Sequential(twice, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


def two_linear(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    """Two linear layers, each with ReLU."""
    first, second = nn.Linear(inputs, hidden), nn.Linear(hidden, outputs)
    return nn.Sequential(first, nn.ReLU(inplace=True), second, nn.ReLU(inplace=True))


class Residual(nn.Module):
    """x + BN(conv(dropout(ReLU(BN(conv(x)))))), at constant size."""

    def __init__(self, channels: int, dropout: float) -> None:
        super().__init__()
        first, second = conv(channels, channels), nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.block = nn.Sequential(*first, nn.Dropout(dropout), second, nn.BatchNorm2d(channels))

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Same shape out as in."""
        out: Tensor = x_NCHW + self.block(x_NCHW)
        return out
