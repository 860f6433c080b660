"""VG-net: landmarks and one picture to video (Chen et al., CVPR 2019, sections 3.3 and 3.4), with its ConvGRU."""

from itertools import pairwise
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from pipeline.landmarks.points import NUMBERS
from pipeline.models.layers import Residual, Shapes, conv, has_outer_level, scaled, upsample
from pipeline.models.mouth_detail import MouthDetail

Recurrence = Literal["time", "batch", "none"]


class VgOutput(NamedTuple):
    """Output of VG-net for T frames, H = W = size."""

    frames_BTCHW: Tensor  # the video, in [-1, 1]
    attention_BT1HW: Tensor  # 1 where the video is painted, 0 where it shows the reference picture
    colour_BTCHW: Tensor  # painted colours, in [-1, 1]
    landmark_attention_BT1HW: Tensor
    """Attention to the motion of the landmarks since the reference (B, T, 1, 32, 32), in [0, 1]."""
    state_BCHW: Tensor | None
    """The ConvGRU's state after the last frame, to pass with the next frames (recurrence over time only)."""


class VgNet(nn.Module):
    """Generates a talking face: the reference picture, moved by landmarks.

    The decoder paints colours C and an attention map A; a frame is A . C + (1 - A) . reference. Within the decoder, at
    32 x 32, an attention M from the landmarks' motion mixes the reference's features and the decoded ones.

    `mouth_detail` (ours) adds `MouthDetail` to the last features of the decoder.

    `attention=False` is the ablation without both maps: features are added, and a frame is C. At `size` 256 the encoder
    has one more level at its start and the decoder one at its end, so M and the ConvGRU are the same as at 128.
    """

    def __init__(
        self,
        width: int = 64,
        recurrence: Recurrence = "time",
        attention: bool = True,
        dropout: float = 0.5,
        size: int = 128,
        mouth_detail: bool = False,
    ) -> None:
        super().__init__()
        self.arguments = {"width": width, "recurrence": recurrence, "attention": attention, "dropout": dropout}
        outer = has_outer_level(size)
        if outer:  # not for 128, so that files keep their bytes
            self.arguments["size"] = size
        if mouth_detail:
            self.arguments["mouth_detail"] = True
        self.size = size
        self.inputs: Shapes = {"image_BCHW": (-1, 3, size, size)}
        self.inputs |= {"reference_landmarks_BL": (-1, NUMBERS), "landmarks_BTL": (-1, -1, NUMBERS)}
        self.outputs: Shapes = {"frames_BTCHW": (-1, -1, 3, size, size), "attention_BT1HW": (-1, -1, 1, size, size)}
        self.outputs |= {"colour_BTCHW": (-1, -1, 3, size, size), "landmark_attention_BT1HW": (-1, -1, 1, 32, 32)}
        if recurrence == "time":
            self.outputs["state_BCHW"] = (-1, scaled(512, width), 8, 8)
        self.attention = attention
        c16, c32, c64, c128, c256, c512 = (scaled(count, width) for count in (16, 32, 64, 128, 256, 512))
        down, up = [c64, c64, c128], [c128, c64, c32]  # from the picture to 32 x 32, and back
        if outer:
            down, up = [c32, *down], [*up, c16]
        self.image_near = nn.Sequential(  # E1
            nn.ReflectionPad2d(3),
            conv(3, down[0], kernel=7, padding=0),
            *(conv(above, below, stride=2) for above, below in pairwise(down)),
        )
        self.image_deep = nn.Sequential(conv(c128, c256, stride=2), conv(c256, c512, stride=2))  # E2
        self.landmark_map = nn.Sequential(nn.Linear(NUMBERS, 8 * 8), nn.ReLU(inplace=True), nn.Unflatten(1, (1, 8, 8)))
        self.landmark_near = conv(1, c256)  # L1
        self.landmark_deep = conv(c256, c512)  # L2
        if attention:
            above = upsample(2 * c256, c256, bias=True), upsample(c256, c128, bias=True)
            self.motion = nn.Sequential(*above, nn.Conv2d(c128, 1, 3, padding=1), nn.Sigmoid())
        self.bottleneck = conv(2 * c512, c128)
        self.gru = ConvGru(c128, c512, recurrence)
        residuals = (Residual(c512, dropout) for _ in range(9))
        self.decode_deep = nn.Sequential(*residuals, upsample(c512, c256), upsample(c256, c128))  # D1
        self.decode_near = nn.Sequential(*(upsample(below, above) for below, above in pairwise(up)))  # D2
        self.mouth_detail = MouthDetail(up[-1], width) if mouth_detail else None
        outputs = 4 if attention else 3  # colour, and attention as the fourth channel
        self.heads = nn.Conv2d(up[-1], outputs, 7, padding=3)

    def forward(
        self,
        image_BCHW: Tensor,
        reference_landmarks_BL: Tensor,
        landmarks_BTL: Tensor,
        state_BCHW: Tensor | None = None,
    ) -> VgOutput:
        """Generate frames for landmarks (B, T, 136) from pictures (B, 3, size, size) in [-1, 1] and theirs (B, 136).

        `state_BCHW` is the state after the previous frames; None for the first ones. All layers except the recurrence
        see the frames as one batch (N = B * T).
        """
        batch, frames = landmarks_BTL.shape[:2]

        def each_frame(x_BCHW: Tensor) -> Tensor:
            return x_BCHW.unsqueeze(1).expand(-1, frames, -1, -1, -1).flatten(0, 1)

        # Reference and frames are one batch, so that batch normalisation treats equal landmarks equally.
        landmarks_ML = torch.cat([reference_landmarks_BL.unsqueeze(1), landmarks_BTL], dim=1).flatten(0, 1)
        near_BTCHW = self.landmark_near(self.landmark_map(landmarks_ML)).unflatten(0, (batch, frames + 1))
        deep_BTCHW = self.landmark_deep(near_BTCHW.flatten(0, 1)).unflatten(0, (batch, frames + 1))
        moved_BTCHW = deep_BTCHW[:, 1:] - deep_BTCHW[:, :1]

        image_near_BCHW = self.image_near(image_BCHW)
        image_deep_BCHW = self.image_deep(image_near_BCHW)

        mixed_NCHW = self.bottleneck(torch.cat([each_frame(image_deep_BCHW), moved_BTCHW.flatten(0, 1)], dim=1))
        hidden_BTCHW, state_BCHW = self.gru(mixed_NCHW.unflatten(0, (batch, frames)), state_BCHW)
        decoded_NCHW = self.decode_deep(hidden_BTCHW.flatten(0, 1))

        if self.attention:
            pair_NCHW = torch.cat([near_BTCHW[:, 1:].flatten(0, 1), each_frame(near_BTCHW[:, 0])], dim=1)
            motion_N1HW = self.motion(pair_NCHW)
            decoded_NCHW = torch.lerp(each_frame(image_near_BCHW), decoded_NCHW, motion_N1HW)
        else:
            motion_N1HW = torch.ones_like(decoded_NCHW[:, :1])
            decoded_NCHW = each_frame(image_near_BCHW) + decoded_NCHW

        near_NCHW = self.decode_near(decoded_NCHW)
        if self.mouth_detail is not None:
            seen = image_BCHW, reference_landmarks_BL, landmarks_BTL
            near_NCHW, moved_NCHW, share_N1HW = self.mouth_detail(near_NCHW, *seen)
        painted_NCHW = self.heads(near_NCHW)
        # Contiguous planes: operations on a slice of interleaved channels take ten times as long.
        colour_NCHW = torch.tanh(painted_NCHW[:, :3].contiguous())
        if self.mouth_detail is not None:
            colour_NCHW = torch.lerp(colour_NCHW, moved_NCHW.to(colour_NCHW.dtype), share_N1HW)
        if self.attention:
            attention_N1HW = torch.sigmoid(painted_NCHW[:, 3:])
            frames_NCHW = attention_N1HW * colour_NCHW + (1 - attention_N1HW) * each_frame(image_BCHW)
        else:
            attention_N1HW, frames_NCHW = torch.ones_like(colour_NCHW[:, :1]), colour_NCHW.float()

        made = (frames_NCHW, attention_N1HW, colour_NCHW, motion_N1HW)
        video, attention, colour, motion = [each_NCHW.unflatten(0, (batch, frames)) for each_NCHW in made]
        return VgOutput(video, attention, colour, motion, state_BCHW)


class ConvGru(nn.Module):
    """ConvGRU over a sequence of feature maps, 3 x 3 kernels of dilation 2, gates as in `torch.nn.GRU`:

        r = sigmoid(Wr * x + Ur * h)        z = sigmoid(Wz * x + Uz * h)
        n = tanh(Wn * x + r . (Un * h))     h' = (1 - z) . n + z . h

    `recurrence` is the axis of the sequence. `time`: the frames of each video. `batch`: the videos of a batch, as in
    the original release, so that a single video starts every frame from zero (for imported weights). `none`: every
    frame starts from zero (ablation).
    """

    def __init__(self, inputs: int, hidden: int, recurrence: Recurrence = "time") -> None:
        super().__init__()
        self.hidden = hidden
        self.recurrence = recurrence
        self.from_input = nn.Conv2d(inputs, 3 * hidden, 3, padding=2, dilation=2)
        self.from_hidden = nn.Conv2d(hidden, 3 * hidden, 3, padding=2, dilation=2)

    def forward(self, x_BTCHW: Tensor, state_BCHW: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Hidden states (B, T, hidden, H, W), and the state for the next frames (`time` only)."""
        gates_BTCHW = self.from_input(x_BTCHW.flatten(0, 1)).unflatten(0, x_BTCHW.shape[:2])
        if self.recurrence == "time":
            return self._run(gates_BTCHW, state_BCHW)
        if self.recurrence == "batch":
            return self._run(gates_BTCHW.transpose(0, 1), None)[0].transpose(0, 1), None
        return self._step(gates_BTCHW.flatten(0, 1), None).unflatten(0, x_BTCHW.shape[:2]), None

    def _run(self, gates_NSCHW: Tensor, state_NCHW: Tensor | None) -> tuple[Tensor, Tensor | None]:
        states = []
        for gates_NCHW in gates_NSCHW.unbind(1):
            state_NCHW = self._step(gates_NCHW, state_NCHW)
            states.append(state_NCHW)
        return torch.stack(states, dim=1), state_NCHW

    def _step(self, gates_NCHW: Tensor, state_NCHW: Tensor | None) -> Tensor:
        r, z, n = gates_NCHW.chunk(3, dim=1)
        if state_NCHW is None:  # the convolution of a zero state is its bias
            from_hidden = self.from_hidden.get_parameter("bias").view(1, -1, 1, 1).to(gates_NCHW.dtype)
        else:
            from_hidden = self.from_hidden(state_NCHW)
        ur, uz, un = from_hidden.chunk(3, dim=1)
        update = torch.sigmoid(z + uz)
        hidden: Tensor = (1 - update) * torch.tanh(n + torch.sigmoid(r + ur) * un)
        return hidden if state_NCHW is None else hidden + update * state_NCHW
