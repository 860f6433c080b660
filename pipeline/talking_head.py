"""Both networks as one: a face that says what it hears."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.landmarks.model import LandmarkModel
from pipeline.models.atnet import AtNet
from pipeline.models.io import load_model
from pipeline.models.vgnet import VgNet


class Painted(NamedTuple):
    """A stretch of F generated frames."""

    frames_FHWC: NDArray[np.uint8]
    """RGB (F, 128, 128, 3)."""
    attention_FHW: NDArray[np.float32]
    """Where pixels were painted anew, 0 to 1."""


@dataclass(frozen=True)
class Example:
    """The picture a face is made from: RGB (128, 128, 3) and its 68 points (68, 2) in the picture's pixels."""

    image_HWC: NDArray[np.uint8]
    points_68x2: NDArray[np.float32]


class TalkingHead:
    """AT-net, VG-net and the landmark model, on the GPU when there is one.

    Works through frames in stretches, carrying the recurrent states on, so memory does not grow with the speech.
    """

    def __init__(self, atnet: AtNet, vgnet: VgNet, landmarks: LandmarkModel, device: torch.device) -> None:
        self.atnet = atnet.to(device).eval()
        self.vgnet = vgnet.to(device).eval()
        self.model = landmarks
        self.device = device

    @classmethod
    def load(cls, atnet: Path, vgnet: Path, landmarks: Path) -> "TalkingHead":
        """From the folders of trained models; PipelineError when one is missing or none of ours."""
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        speech, painter = load_model(atnet, "model")[0], load_model(vgnet, "model")[0]
        assert isinstance(speech, AtNet)
        assert isinstance(painter, VgNet)
        return cls(speech, painter, LandmarkModel.load(landmarks), device)

    @torch.inference_mode()
    def landmarks(self, example: Example, windows: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        """Normalised landmarks (F, 136) for each stretch of speech windows (F, 28, 12)."""
        example_L = self.model.normalize(example.points_68x2[None])[0]
        example_K = self.model.project(example_L)
        state = None
        for stretch_FRC in windows:
            heard_BT1RC = torch.from_numpy(stretch_FRC)[None, :, None].to(self.device)
            coefficients_BTK, state = self.atnet.stream(self._tensor(example_K), heard_BT1RC, state)
            yield self.model.move(example_L, example_K, coefficients_BTK[0].cpu().numpy())

    @torch.inference_mode()
    def paint(self, example: Example, landmarks: Iterable[NDArray[np.float32]]) -> Iterator[Painted]:
        """Frames for each stretch of normalised landmarks (F, 136)."""
        example_L = self.model.normalize(example.points_68x2[None])[0]
        image_BCHW = self._tensor(example.image_HWC.astype(np.float32) / 127.5 - 1.0).permute(0, 3, 1, 2)
        state = None
        for stretch_FL in landmarks:
            out = self.vgnet(image_BCHW, self._tensor(example_L), self._tensor(stretch_FL), state)
            state = out.state_BCHW
            yield Painted(_to_uint8(out.frames_BTCHW[0]), out.attention_BT1HW[0, :, 0].float().cpu().numpy())

    def _tensor(self, array: NDArray[np.float32]) -> Tensor:
        return torch.from_numpy(array)[None].to(self.device)


def _to_uint8(frames_TCHW: Tensor) -> NDArray[np.uint8]:
    levels = ((frames_TCHW.float() + 1.0) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return levels.permute(0, 2, 3, 1).contiguous().cpu().numpy()


def stretches(array: NDArray[np.float32], frames: int = 32) -> Iterator[NDArray[np.float32]]:
    """``array`` cut along its first axis into stretches of at most ``frames``."""
    for start in range(0, len(array), frames):
        yield array[start : start + frames]
