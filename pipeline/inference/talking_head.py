"""Both networks as one: a face that says what it hears."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.config.params import Params
from pipeline.inference.preprocessing import Example, Preprocessing, load_preprocessing
from pipeline.models.atnet import AtNet
from pipeline.models.folding import for_inference
from pipeline.models.io import load_model
from pipeline.models.vgnet import VgNet
from pipeline.runtime.devices import Precision, autocast, best_device


class Painted(NamedTuple):
    """A stretch of F generated frames."""

    frames_FHWC: NDArray[np.uint8]
    """RGB (F, 128, 128, 3)."""
    attention_FHW: NDArray[np.float32]
    """Where pixels were painted anew, 0 to 1."""


class TalkingHead:
    """AT-net, VG-net and the preprocessing they were trained with, on the GPU when there is one.

    Works through frames in stretches, carrying the recurrent states on, so memory does not grow with the speech.
    """

    def __init__(
        self,
        atnet: AtNet,
        vgnet: VgNet,
        preprocessing: Preprocessing,
        device: torch.device,
        precision: Precision = "auto",
    ) -> None:
        """`precision` is that of VG-net, which takes nearly all the time; AT-net hears in float32 (TF32 on a GPU)."""
        self.atnet = atnet.to(device).eval()
        self.vgnet = for_inference(vgnet, device, precision)
        self.preprocessing = preprocessing
        self.device = device
        self.precision = precision

    @classmethod
    def load(cls, models: Path, params: Params) -> "TalkingHead":
        """From a folder of models, trained or imported; PipelineError when one is missing or none of ours.

        Models of this project hear with `params.mfcc.window`; all paint in `params.vgnet.precision`.
        """
        speech, painter = (load_model(models / name, "model")[0] for name in ("atnet", "vgnet"))
        assert isinstance(speech, AtNet)
        assert isinstance(painter, VgNet)
        preprocessing = load_preprocessing(models, params.mfcc.window)
        return cls(speech, painter, preprocessing, best_device(), params.vgnet.precision)

    @torch.inference_mode()
    def landmarks(self, example: Example, windows: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        """Normalised landmarks (F, 136) for each stretch of speech windows (F, 28, 12)."""
        example_L = self._normalized(example)
        example_K = self.preprocessing.project(example_L)
        state = None
        for stretch_FRC in windows:
            heard_BT1RC = torch.from_numpy(stretch_FRC)[None, :, None].to(self.device)
            coefficients_BTK, state = self.atnet.stream(self._tensor(example_K), heard_BT1RC, state)
            yield self.preprocessing.expand(example_L, coefficients_BTK[0].cpu().numpy())

    @torch.inference_mode()
    def paint(self, example: Example, landmarks: Iterable[NDArray[np.float32]]) -> Iterator[Painted]:
        """Frames for each stretch of normalised landmarks (F, 136)."""
        example_L = self._normalized(example)
        image_BCHW = self._tensor(example.image_HWC.astype(np.float32) / 127.5 - 1.0).permute(0, 3, 1, 2)
        state = None
        for stretch_FL in landmarks:
            with autocast(self.device, self.precision):
                out = self.vgnet(image_BCHW, self._tensor(example_L), self._tensor(stretch_FL), state)
            state = out.state_BCHW
            yield Painted(_to_uint8(out.frames_BTCHW[0]), out.attention_BT1HW[0, :, 0].float().cpu().numpy())

    def _normalized(self, example: Example) -> NDArray[np.float32]:
        return np.asarray(self.preprocessing.normalize(example.points_68x2[None], example.points_68x2)[0])

    def _tensor(self, array: NDArray[np.float32]) -> Tensor:
        return torch.from_numpy(array)[None].to(self.device)


def _to_uint8(frames_TCHW: Tensor) -> NDArray[np.uint8]:
    levels = ((frames_TCHW.float() + 1.0) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return levels.permute(0, 2, 3, 1).contiguous().cpu().numpy()


def stretches(array: NDArray[np.float32], frames: int = 32) -> Iterator[NDArray[np.float32]]:
    """``array`` cut along its first axis into stretches of at most ``frames``."""
    for start in range(0, len(array), frames):
        yield array[start : start + frames]
