"""The parameters of training, a frozen dataclass a network: sections `atnet` and `vgnet` of `params.yaml`.

Defaults are tuned for the embedded sample on two CPU cores. The docstring under a field gives the paper's value
(Chen et al., CVPR 2019) wherever it differs.
"""

from dataclasses import dataclass, field, fields
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class LoopParams:
    """What the training of either network is steered by."""

    init: str = ""
    """The bundle whose weights the training starts from: a folder, relative to the project, or `models:/NAME@ALIAS`;
    empty is from scratch. It takes the bundle's landmark model (`pca.init`)."""
    width: int = 16
    """Channels of the first layer; every other count follows in proportion. Paper: 64. A multiple of 8."""
    steps: int = 600
    """Optimiser steps. Ignored where `epochs` is above 0. With a constant schedule more of them than before extend a
    finished training."""
    epochs: int = 0
    """Passes over the training clips, one window per clip and pass; 0 counts by `steps` instead."""
    batch: int = 8
    """Windows in a step."""
    frames: int = 16
    """Consecutive video frames in a window. Paper: 16."""
    lr: float = 2e-3
    """Adam's learning rate at its highest. Paper: 2e-4."""
    schedule: Literal["constant", "cosine"] = "cosine"
    """`constant` or `cosine` (down to 0 at the last step). Paper: constant."""
    warmup: int = 20
    """Steps over which the learning rate climbs linearly to `lr`. Paper: 0."""
    grad_clip: float = 1.0
    """Largest norm of a network's gradient; 0 leaves gradients alone. Paper: 0."""
    ema: float = 0.99
    """Decay of the moving average of the weights, which is validated and kept; 0 keeps the raw weights. Paper: 0."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """`float32`, `bfloat16` (autocast), or `auto`: bfloat16 where the hardware multiplies it natively."""
    compile: bool = False
    """Compile the network with `torch.compile`: worth its start-up minutes in long trainings on a GPU."""
    validate_every: int = 50
    """Steps between validations; each one may set the best weights, and writes a checkpoint."""
    keep: Literal["best", "last"] = "best"
    """The weights of the best validation, or of the last."""
    early_stopping: int = 0
    """Validations without improvement after which training stops; 0 never stops early."""

    def __post_init__(self) -> None:
        """Check ranges; raises ValueError naming the key and what it may be."""
        self._require(self.width >= 8 and self.width % 8 == 0, "width", "a multiple of 8, at least 8")
        self._require(self.steps >= 1, "steps", "at least 1")
        self._require(self.epochs >= 0, "epochs", "0 or more")
        self._require(self.batch >= 1, "batch", "at least 1")
        self._require(self.frames >= 2, "frames", "at least 2")
        self._require(0 < self.lr < 1, "lr", "above 0 and below 1")
        self._require(self.warmup >= 0, "warmup", "0 or more")
        self._require(self.grad_clip >= 0, "grad_clip", "0 or more")
        self._require(0 <= self.ema < 1, "ema", "from 0 to below 1")
        self._require(self.validate_every >= 1, "validate_every", "at least 1")
        self._require(self.early_stopping >= 0, "early_stopping", "0 or more")

    def _require(self, holds: bool, key: str, allowed: str) -> None:
        if not holds:
            raise ValueError(f"{key} must be {allowed}; it is {getattr(self, key)!r}")


@dataclass(frozen=True, kw_only=True)
class AtNetParams(LoopParams):
    """Training of AT-net, speech to landmark coefficients."""

    recurrent: bool = True
    """Reference coefficients and an LSTM over the frames; false is the paper's single-frame ablation."""
    batch: int = 8
    """Windows in a step. Paper: 16."""
    lr: float = 4e-3
    """Adam's learning rate at its highest. Paper: 2e-4."""
    mouth_focus: float = 0.0
    """By how much more the mouth's points weigh than their share of the coefficients is. Paper: 0."""

    def __post_init__(self) -> None:
        """Check ranges; raises ValueError naming the key and what it may be."""
        super().__post_init__()
        self._require(self.mouth_focus >= 0, "mouth_focus", "0 or more")


@dataclass(frozen=True, kw_only=True)
class PictureAugmentation:
    """How strongly VG-net's training windows are changed, from 0 (never) to 1; one draw a window, up to the strength.

    What a strength of 1 is stands in `pipeline/training/augment.py`. Paper: none.
    """

    flip: float = 0.0
    """Share of the windows that are mirrored, their landmarks with them."""
    shift: float = 0.0
    """At 1, crops are moved by up to 5% of their side, scaled by 8% and turned by 5 degrees."""
    light: float = 0.0
    """At 1, gamma is 0.67 to 1.5, and one edge up to 1.5 times as bright as the middle."""
    colour: float = 0.0
    """At 1, channels change by up to 15% (white balance), saturation by 40% and hue by 10 degrees."""
    blur: float = 0.0
    """At 1, a Gaussian of up to 1.5 pixels of a crop of 128."""
    compression: float = 0.0
    """At 1, JPEG of quality 95 to 20."""

    def __post_init__(self) -> None:
        """Check ranges; raises ValueError naming the key."""
        for kind in fields(self):
            if not 0 <= (value := getattr(self, kind.name)) <= 1:
                raise ValueError(f"{kind.name} must be from 0 to 1; it is {value!r}")


@dataclass(frozen=True, kw_only=True)
class VgNetParams(LoopParams):
    """Training of VG-net, landmarks to video, against its discriminator."""

    steps: int = 700
    """Optimiser steps. Ignored where `epochs` is above 0."""
    batch: int = 2
    """Windows in a step. Paper: 10."""
    frames: int = 8
    """Consecutive video frames in a window. Paper: 16."""
    lr: float = 6e-4
    """Adam's learning rate of the generator at its highest. Paper: 2e-4."""
    discriminator_lr: float = 2e-4
    """And of the discriminator, which unlike it learns nothing at higher rates. Paper: 2e-4."""
    recurrence: Literal["time", "batch", "none"] = "time"
    """What the ConvGRU runs over: `time`, `batch` (the original release's fault) or `none` (ablation)."""
    dropout: float = 0.0
    """Dropout within the residual blocks. Paper: 0.5."""
    attention: bool = True
    """Attention over landmarks and pixels; false paints every pixel (ablation)."""
    dynamic_loss: bool = True
    """Weigh the pixel loss by the attention; false weighs all pixels alike (ablation)."""
    pixel_weight: float = 10.0
    """Weight of the pixel loss."""
    mouth_focus: float = 0.0
    """By how much more the pixels in the middle of the mouth weigh, falling off over lips and chin. Paper: 0."""
    adversarial_weight: float = 1.0
    """Weight of the discriminator's decision in the generator's loss; 0 leaves it out (ablation)."""
    regression_weight: float = 0.01
    """Weight of the landmark regression; 0 leaves it out (ablation). Paper: 1, by which in short trainings the
    discriminator learns to read and the generator hardly to paint (docs/results.md)."""
    mouth_weight: float = 10_000.0
    """Weight of the squared error of the y of the 20 mouth points within the regression, beside 1 for everything else.

    The original's mask of 100 multiplies the landmarks before their difference is squared: 100^2.
    """
    augment: PictureAugmentation = field(default_factory=PictureAugmentation)
    """Augmentation of the training's pictures; the validation's stay as they are."""

    def __post_init__(self) -> None:
        """Check ranges; raises ValueError naming the key and what it may be."""
        super().__post_init__()
        self._require(0 <= self.dropout < 1, "dropout", "from 0 to below 1")
        self._require(0 < self.discriminator_lr < 1, "discriminator_lr", "above 0 and below 1")
        self._require(self.pixel_weight > 0, "pixel_weight", "above 0")
        self._require(self.mouth_focus >= 0, "mouth_focus", "0 or more")
        self._require(self.adversarial_weight >= 0, "adversarial_weight", "0 or more")
        self._require(self.regression_weight >= 0, "regression_weight", "0 or more")
        self._require(self.mouth_weight > 0, "mouth_weight", "above 0")
