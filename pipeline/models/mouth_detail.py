"""Detail of the mouth for VG-net's decoder (ours): the reference picture, moved by the landmarks, at full resolution.

The paper's decoder paints every frame from features of 32 x 32, so lips are soft and teeth are one grey patch. Here the
decoder also sees the reference's own pixels at the place where the landmarks put them, and where the lips are.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.landmarks.points import COUNT
from pipeline.models.layers import conv, scaled

CHANNELS = 7
"""Of `MouthDetail.inputs`: the moved reference (3), and `lip_maps`."""
_TOP, _BOTTOM, _LEFT, _RIGHT = 7 / 16, 15 / 16, 3 / 16, 13 / 16  # the part of the crop that is painted in detail
_STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)
_BORDER = [(x, y) for x in _STEPS for y in _STEPS if {x, y} & {0.0, 1.0}]  # points around the crop
_CELL = 2  # pixels per point at which the motion is computed; it is smooth
_SOFT = 0.008  # softness of the masks' edges, as a share of the side: 1 pixel of 128
_DEPTH = 0.08  # distance from a lip that counts as 1, as a share of the side
_NEAR = 3e-4  # squared distance, as a share of the side, within which a landmark's motion is averaged with others
SHARE_BIAS = -1.0  # the moved reference starts at a share of 27%
UPPER_INNER, LOWER_INNER = (60, 61, 62, 63, 64), (60, 67, 66, 65, 64)
UPPER_OUTER, LOWER_OUTER = (48, 49, 50, 51, 52, 53, 54), (48, 59, 58, 57, 56, 55, 54)


def mouth_part(height: int, width: int) -> tuple[slice, slice]:
    """The rows and columns of the mouth in a crop of this size."""
    rows = slice(round(_TOP * height), round(_BOTTOM * height))
    return rows, slice(round(_LEFT * width), round(_RIGHT * width))


class MouthDetail(nn.Module):
    """Adds detail to the decoder's features of the mouth, and mixes the moved reference into its colours.

    At first the added features are zero and the moved reference has a share of 27%, so that weights trained without
    this module roughly keep their output.
    """

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        c96 = scaled(96, width)
        self.read = nn.Sequential(conv(features + CHANNELS, c96), conv(c96, c96))
        self.add = nn.Conv2d(c96, features + 1, 3, padding=1)  # features, and the logit of the share
        self.start()
        self.placement: Tensor
        """Scale, x and y that take normalised landmarks to millionths of the crop's side; whole numbers, because
        inference reduces the precision of others."""
        self.register_buffer("placement", torch.tensor([500_000, 500_000, 500_000]))

    @torch.no_grad()
    def start(self) -> None:
        """Set the initial weights of the last layer."""
        nn.init.zeros_(self.add.weight)
        bias = nn.init.zeros_(self.add.get_parameter("bias"))
        bias[-1] = SHARE_BIAS

    @torch.no_grad()
    def place(self, scale: float, x: float, y: float) -> None:
        """Set `placement`, from shares of the crop's side."""
        self.placement.copy_(torch.tensor([scale, x, y], dtype=torch.float64).mul(1e6).round())

    def forward(
        self, features_NCHW: Tensor, image_BCHW: Tensor, reference_BL: Tensor, landmarks_BTL: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Features (N, C, H, W) of N = B * T frames with detail, the moved reference, and its share of the colours."""
        height, width = features_NCHW.shape[-2:]
        rows, columns = mouth_part(height, width)
        seen_NCHW = self.inputs(image_BCHW, reference_BL, landmarks_BTL)
        part_NCHW = torch.cat([features_NCHW[..., rows, columns], seen_NCHW], dim=1)
        detail_NCHW = self.add(self.read(part_NCHW))
        around = (columns.start, width - columns.stop, rows.start, height - rows.stop)
        share_N1HW, moved_NCHW = torch.sigmoid(detail_NCHW[:, -1:]), seen_NCHW[:, :3]
        features_NCHW = features_NCHW + functional.pad(detail_NCHW[:, :-1], around)
        return features_NCHW, functional.pad(moved_NCHW, around), functional.pad(share_N1HW, around)

    def inputs(self, image_BCHW: Tensor, reference_BL: Tensor, landmarks_BTL: Tensor) -> Tensor:
        """What the network sees of each frame beside its features, (B * T, CHANNELS, H, W) of the mouth's part."""
        frames = landmarks_BTL.shape[1]
        points_BTP2 = self._placed(landmarks_BTL)
        reference_NP2 = self._placed(reference_BL).unsqueeze(1).expand_as(points_BTP2).flatten(0, 1)
        points_NP2 = points_BTP2.flatten(0, 1)
        height, width = image_BCHW.shape[-2:]
        rows, columns = mouth_part(height, width)
        y_H, x_W = _middles(height, image_BCHW.device)[rows], _middles(width, image_BCHW.device)[columns]
        motion_N2HW = functional.interpolate(
            motion_field(points_NP2, reference_NP2, _cells(y_H), _cells(x_W)), scale_factor=_CELL, mode="bilinear"
        )
        from_NHW2 = torch.stack([x_W + motion_N2HW[:, 0], y_H[:, None] + motion_N2HW[:, 1]], dim=-1)
        images_NCHW = image_BCHW.unsqueeze(1).expand(-1, frames, -1, -1, -1).flatten(0, 1)
        moved_NCHW = functional.grid_sample(images_NCHW, 2 * from_NHW2 - 1, padding_mode="border", align_corners=False)
        return torch.cat([moved_NCHW, lip_maps(points_NP2, y_H, x_W)], dim=1)

    def _placed(self, landmarks_L: Tensor) -> Tensor:
        placement = self.placement.float() / 1e6
        placed: Tensor = landmarks_L.float().unflatten(-1, (COUNT, 2)) * placement[0] + placement[1:]
        return placed


def motion_field(points_NP2: Tensor, reference_NP2: Tensor, y_H: Tensor, x_W: Tensor) -> Tensor:
    """How far each place of a frame is from where it was in the reference: x, y (N, 2, H, W) as shares of the side.

    The landmarks' motions are interpolated with the inverse fourth power of the distance (Shepard, 1968). Points on the
    border of the crop do not move.
    """
    border_NP2 = points_NP2.new_tensor(_BORDER).expand(points_NP2.shape[0], -1, -1)
    targets_NP2 = torch.cat([points_NP2, border_NP2], dim=1)
    motion_NP2 = torch.cat([reference_NP2 - points_NP2, torch.zeros_like(border_NP2)], dim=1)
    across_NPW = (x_W - targets_NP2[..., :1]).square()
    along_NPH = (y_H - targets_NP2[..., 1:]).square()
    weight_NPHW = (along_NPH.unsqueeze(-1) + across_NPW.unsqueeze(-2) + _NEAR).pow(-2)
    total_NHW = weight_NPHW.sum(dim=1)
    sums = [(weight_NPHW * motion_NP2[..., axis, None, None]).sum(dim=1) / total_NHW for axis in (0, 1)]
    return torch.stack(sums, dim=1)


def lip_maps(points_NP2: Tensor, y_H: Tensor, x_W: Tensor) -> Tensor:
    """Four maps (N, 4, H, W) of the lips, 0 to 1.

    They are the inside of the mouth, lips and inside, the depth below the upper inner lip, and the height above the
    lower one.
    """
    lines = UPPER_INNER, LOWER_INNER, UPPER_OUTER, LOWER_OUTER
    away = [y_H[:, None] - _height(points_NP2, line, x_W).unsqueeze(1) for line in lines]
    upper_NHW, lower_NHW, above_NHW, below_NHW = away
    inside_NHW = torch.sigmoid(upper_NHW / _SOFT) * torch.sigmoid(-lower_NHW / _SOFT)
    inside_NHW = inside_NHW * _between(points_NP2, 60, 64, x_W)
    lips_NHW = torch.sigmoid(above_NHW / _SOFT) * torch.sigmoid(-below_NHW / _SOFT) * _between(points_NP2, 48, 54, x_W)
    depth_NHW, height_NHW = (upper_NHW / _DEPTH).clamp(0, 1), (-lower_NHW / _DEPTH).clamp(0, 1)
    return torch.stack([inside_NHW, lips_NHW, depth_NHW, height_NHW], dim=1)


def _height(points_NP2: Tensor, line: tuple[int, ...], x_W: Tensor) -> Tensor:
    """The y (N, W) of the polyline through these points, which run from left to right, at each x."""
    knots_NK2 = points_NP2[:, list(line)]
    start_NK2, step_NK2 = knots_NK2[:, :-1], knots_NK2.diff(dim=1)
    share_NKW = ((x_W - start_NK2[..., :1]) / step_NK2[..., :1].clamp(min=1e-4)).clamp(0, 1)
    height_NW: Tensor = knots_NK2[:, :1, 1] + (share_NKW * step_NK2[..., 1:]).sum(dim=1)
    return height_NW


def _between(points_NP2: Tensor, left: int, right: int, x_W: Tensor) -> Tensor:
    """1 between two points (N, 1, W), 0 beside them."""
    inside_NW = torch.sigmoid((x_W - points_NP2[:, left, :1]) / _SOFT) * torch.sigmoid(
        (points_NP2[:, right, :1] - x_W) / _SOFT
    )
    return inside_NW.unsqueeze(1)


def _cells(places: Tensor) -> Tensor:
    """The middles of cells of `_CELL` pixels, from the middles of pixels."""
    middles: Tensor = places.unflatten(0, (-1, _CELL)).mean(dim=1)
    return middles


def _middles(count: int, device: torch.device) -> Tensor:
    """The middles of pixels as shares of the side."""
    return (torch.arange(count, device=device) + 0.5) / count
