"""The regression-based discriminator (Chen et al., CVPR 2019, section 3.4)."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from pipeline.landmarks.points import NUMBERS
from pipeline.models.layers import conv, has_outer_level, plain_conv, scaled, two_linear


class Discriminator(nn.Module):
    """Decides whether a video is real, and reads the landmarks of its frames.

    An LSTM reads features of the frames and the reference's landmarks. From its states one layer predicts landmarks, as
    an offset in (-1, 1) to the reference's, and one the decision, averaged over the video. At `size` 256 pictures first
    pass one more convolution.
    """

    def __init__(self, width: int = 64, size: int = 128) -> None:
        super().__init__()
        self.arguments = {"width": width}
        c32, c64, c128, c256, c512 = (scaled(count, width) for count in (32, 64, 128, 256, 512))
        down = [c64, c128, c256, c512]  # to 8 x 8
        if has_outer_level(size):
            self.arguments["size"] = size  # not for 128, so that files keep their bytes
            down = [c32, *down]
        self.image = nn.Sequential(
            plain_conv(3, down[0], stride=2),
            *(conv(inputs, outputs, stride=2) for inputs, outputs in pairwise(down)),
            nn.Flatten(),
            nn.Linear(c512 * 8 * 8, c512),
            nn.ReLU(inplace=True),
        )
        self.reference = two_linear(NUMBERS, c256, c512)
        self.lstm = nn.LSTM(2 * c512, c256, num_layers=3, batch_first=True)
        self.landmarks = nn.Sequential(nn.Linear(c256, NUMBERS), nn.Tanh())
        self.decision = nn.Linear(c256, 1)

    def forward(self, frames_BTCHW: Tensor, reference_landmarks_BL: Tensor) -> tuple[Tensor, Tensor]:
        """The logit (B,) that the video (B, T, 3, size, size) in [-1, 1] is real, and its landmarks (B, T, 136)."""
        batch, frames = frames_BTCHW.shape[:2]
        image_BTD = self.image(frames_BTCHW.flatten(0, 1)).unflatten(0, (batch, frames))
        reference_BTD = self.reference(reference_landmarks_BL).unsqueeze(1).expand(-1, frames, -1)
        hidden_BTD, _ = self.lstm(torch.cat([reference_BTD, image_BTD], dim=2))
        logits_B = self.decision(hidden_BTD).mean(dim=(1, 2))
        return logits_B, self.landmarks(hidden_BTD) + reference_landmarks_BL.unsqueeze(1)


class MouthDiscriminator(nn.Module):
    """Decides of each patch of the mouth's part of a frame whether it is real (ours; Isola et al., CVPR 2017).

    A patch has 26 x 26 pixels, so it shows lips and teeth but no whole face.
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.arguments = {"width": width}
        c128, c256, c512 = (scaled(count, width) for count in (128, 256, 512))
        self.patches = nn.Sequential(
            *(nn.Conv2d(3, c128, 4, 2, 1), nn.LeakyReLU(0.2)),
            *(nn.Conv2d(c128, c256, 4, 2, 1), nn.LeakyReLU(0.2)),
            *(nn.Conv2d(c256, c512, 3, padding=1), nn.LeakyReLU(0.2)),
            nn.Conv2d(c512, 1, 3, padding=1),
        )

    def forward(self, mouths_NCHW: Tensor) -> Tensor:
        """Logits of the patches (N, 1, h, w) of mouths (N, 3, H, W) in [-1, 1]."""
        logits_N1HW: Tensor = self.patches(mouths_NCHW)
        return logits_N1HW
