"""The parameters of training: sections `atnet` and `vgnet` of params.yaml.

Defaults are tuned for the embedded corpus on two CPU cores. Where the paper (Chen et al., CVPR 2019) has another value,
the docstring below the field gives it.
"""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pipeline.config.ranges import AtLeastOne, Count, NotNegative, Positive, Range, Section, Share
from pipeline.runtime.machine import Precision

_Frames = Annotated[int, Range(2)]
_LearningRate = Annotated[float, Range(0, 1, above=True, below=True)]
_BelowOne = Annotated[float, Range(0, 1, below=True)]


@dataclass(frozen=True, kw_only=True)
class LoopParams(Section):
    """Parameters that both networks have."""

    init: str = ""
    """Bundle whose weights the training starts from: a folder, relative to the project, or `models:/NAME@ALIAS`; empty:
    from scratch. Needs the bundle's landmark model (`pca.init`)."""
    width: Annotated[int, Range(8, multiple=8)] = 16
    """Channels of the first layer; all other layers scale with it. Paper: 64."""
    steps: AtLeastOne = 600
    """Optimiser steps; ignored if `epochs` is above 0. With a constant schedule, a larger number extends a finished
    training."""
    epochs: Count = 0
    """Passes over the training clips, one window per clip and pass; 0: use `steps`."""
    batch: AtLeastOne = 8
    """Windows in a batch."""
    frames: _Frames = 16
    """Consecutive video frames in a window. Paper: 16."""
    lr: _LearningRate = 2e-3
    """Highest learning rate of Adam. Paper: 2e-4."""
    schedule: Literal["constant", "cosine"] = "cosine"
    """`constant`, or `cosine`: down to 0 at the last step. Paper: constant."""
    warmup: Count = 20
    """Steps over which the learning rate rises linearly to `lr`. Paper: 0."""
    grad_clip: NotNegative = 1.0
    """Largest norm of a network's gradient; 0: no limit. Paper: 0."""
    ema: _BelowOne = 0.99
    """Decay of the moving average of the weights, which is validated and kept; 0: keep the raw weights. Paper: 0."""
    precision: Precision = "auto"
    """`float32`, `bfloat16` (autocast), or `auto`: bfloat16 if the hardware multiplies it natively."""
    compile: bool = False
    """Compile the network with `torch.compile`, which takes minutes and pays off only in long trainings on a GPU."""
    validate_every: AtLeastOne = 50
    """Steps between validations. After each the weights may become the best, and a checkpoint is written."""
    keep: Literal["best", "last"] = "best"
    """Which weights are kept: those of the best validation or of the last one."""
    early_stopping: Count = 0
    """Training stops after so many validations without improvement; 0: never."""


@dataclass(frozen=True, kw_only=True)
class AtNetParams(LoopParams):
    """Training of AT-net, speech to landmark coefficients."""

    encoder: Literal["conv2d", "conv1d", "embedding"] = "conv2d"
    """Convolutions over time and columns (`conv2d`, the paper's), over time alone (`conv1d`, a smaller network), or a
    frozen network that knows many voices (`embedding`, for `mfcc.kind: embedding_mel`)."""
    recurrent: bool = True
    """Reference coefficients and an LSTM over the frames; false: the paper's single-frame ablation."""
    batch: AtLeastOne = 8
    """Windows in a batch. Paper: 16."""
    lr: _LearningRate = 4e-3
    """Highest learning rate of Adam. Paper: 2e-4."""
    mouth_focus: NotNegative = 0.0
    """Additional weight of the mouth's landmarks in the loss; 0: the squared error of the coefficients. Paper: 0."""
    spread_weight: NotNegative = 0.0
    """Weight of the difference between predicted and real spread of the mouth's opening; 0: leave it out. Paper: 0."""


@dataclass(frozen=True, kw_only=True)
class PictureAugmentation(Section):
    """Strength of each augmentation of VG-net's training windows, from 0 (off) to 1.

    Each window draws its own amount up to the strength. `pipeline/training/augment.py` defines a strength of 1. Paper:
    none.
    """

    flip: Share = 0.0
    """Share of the windows that are mirrored, with their landmarks."""
    shift: Share = 0.0
    """At 1, crops are moved by up to 5% of their side, scaled by up to 8% and rotated by up to 5 degrees."""
    light: Share = 0.0
    """At 1, gamma is 0.67 to 1.5, and one edge is up to 1.5 times as bright as the middle."""
    colour: Share = 0.0
    """At 1, channels change by up to 15% (white balance), saturation by 40% and hue by 10 degrees."""
    blur: Share = 0.0
    """At 1, a Gaussian of up to 1.5 pixels of a 128x128 crop."""
    compression: Share = 0.0
    """At 1, JPEG of quality 95 to 20."""


@dataclass(frozen=True, kw_only=True)
class VgNetParams(LoopParams):
    """Training of VG-net, landmarks to video, against its discriminator."""

    steps: AtLeastOne = 700
    """Optimiser steps; ignored if `epochs` is above 0."""
    batch: AtLeastOne = 2
    """Windows in a batch. Paper: 10."""
    frames: _Frames = 8
    """Consecutive video frames in a window. Paper: 16."""
    lr: _LearningRate = 6e-4
    """Highest learning rate of the generator's Adam. Paper: 2e-4."""
    discriminator_lr: _LearningRate = 2e-4
    """Highest learning rate of the Adam of both discriminators. The paper's learns nothing at higher rates, and that of
    the mouth learns at 1.2e-3 too. Paper: 2e-4."""
    recurrence: Literal["time", "batch", "none"] = "time"
    """Axis of the ConvGRU's recurrence: `time`, `batch` (a fault of the original release) or `none` (ablation)."""
    dropout: _BelowOne = 0.0
    """Dropout in the residual blocks. Paper: 0.5."""
    attention: bool = True
    """Attention over landmarks and pixels; false paints every pixel (ablation)."""
    mouth_detail: bool = False
    """Layers that paint the mouth from the reference's pixels, moved by the landmarks (`pipeline.models.mouth_detail`).
    Paper: false."""
    wide_references: Share = 0.0
    """Share of the windows whose reference is the widest mouth of the clip, so that VG-net learns to close it. The
    others have any other frame of the clip. Paper: 0."""
    dynamic_loss: bool = True
    """Weight the pixel loss by the attention; false weights all pixels equally (ablation)."""
    pixel_weight: Positive = 10.0
    """Weight of the pixel loss."""
    mouth_focus: NotNegative = 0.0
    """Additional weight of the pixels in the middle of the mouth, decreasing over lips and chin. Paper: 0."""
    adversarial_weight: NotNegative = 1.0
    """Weight of the discriminator's decision in the generator's loss; 0: leave it out (ablation)."""
    mouth_adversarial_weight: NotNegative = 0.0
    """Weight of a second discriminator, which sees the mouth alone; 0: leave it out. Paper: 0."""
    regression_weight: NotNegative = 0.01
    """Weight of the landmark regression; 0: leave it out (ablation). Paper: 1. In short trainings with 1, the
    discriminator learns to read landmarks while the generator hardly learns to paint (docs/results.md)."""
    mouth_weight: Positive = 10_000.0
    """Weight, within the regression, of the squared error of the y of the 20 mouth points; all other coordinates have
    1. The original multiplies the landmarks by 100 before squaring their difference: 100^2."""
    augment: PictureAugmentation = field(default_factory=PictureAugmentation)
    """Augmentation of the training pictures; validation pictures are not augmented."""
