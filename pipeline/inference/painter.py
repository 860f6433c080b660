"""Both networks with their preprocessing: speech to landmarks, landmarks to painted frames."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.config.generation import check_strength
from pipeline.config.params import FaceRule, Landmarks
from pipeline.inference.compositing.base import Painted
from pipeline.landmarks.mouth_calibration import MouthCalibration, may_rest
from pipeline.models.atnet import AtNet
from pipeline.models.folding import for_inference
from pipeline.models.vgnet import VgNet
from pipeline.preprocessing.base import Preprocessing, Reference
from pipeline.preprocessing.project import ProjectPreprocessing
from pipeline.runtime.clock import FPS, RATE
from pipeline.runtime.devices import autocast
from pipeline.runtime.machine import Precision
from pipeline.speech.sound import Sound
from pipeline.speech.streaming import CHUNK

_SILENT_SECOND = np.zeros(RATE, np.int16)


class Painter:
    """AT-net, VG-net and their preprocessing on one device.

    Frames are computed in chunks. The recurrent states carry over from chunk to chunk, so memory does not grow with the
    speech.
    """

    def __init__(
        self,
        atnet: AtNet,
        vgnet: VgNet,
        preprocessing: Preprocessing,
        device: torch.device,
        precision: Precision = "auto",
        card: Mapping[str, Any] | None = None,
    ) -> None:
        """Prepare copies of the networks for inference on ``device``, with the preprocessing of their training.

        ``precision`` is the number format of VG-net, which takes nearly all the time. AT-net computes in float32 (TF32
        on a GPU). ``card`` is the bundle's (`pipeline.bundles.bundle`).
        """
        self.card = dict(card or {})
        self.atnet = for_inference(atnet, device, "float32")
        self.vgnet = for_inference(vgnet, device, precision)
        self.preprocessing, self.device, self.precision = preprocessing, device, precision
        self.size = vgnet.size
        """Side in pixels of the painted frames: 128 or 256."""
        self.face: FaceRule = self.card.get("face", Landmarks().face)
        """The rule that selects a face in a picture, by default: `landmarks.face` of the training."""

    @torch.inference_mode()
    def landmarks(
        self, reference: Reference, windows: Iterable[NDArray[np.float32]], strength: float = 1.0
    ) -> Iterator[NDArray[np.float32]]:
        """Yield normalised landmarks (T, 136) for each chunk of speech windows (T, 28, 12).

        The mouth's resting pose is calibrated to the face (`pipeline.landmarks.mouth_calibration`). A ``strength``
        above 1 opens the mouth further, and closed lips stay closed; 0 leaves the picture as it is. The published
        networks have no calibration: their mouth moves ``strength`` times as far from its silent pose.

        Raises PipelineError for a strength below 0 or above 3.
        """
        check_strength(strength)
        reference_L = self._normalized(reference)
        reference_BK = self._tensor(self.preprocessing.project(reference_L))
        scale, state = self._scaling(reference, strength), None
        for chunk_TRC in windows:
            coefficients_BTK, state = self.atnet.stream(reference_BK, self._windows(chunk_TRC), state)
            yield self.preprocessing.expand(reference_L, scale(coefficients_BTK[0].cpu().numpy()))

    def still_landmarks(self, reference: Reference, strength: float = 1.0) -> NDArray[np.float32]:
        """Return normalised landmarks (T, 136) that stand for no movement; the last row holds for all later frames.

        They are AT-net's landmarks for a second of silence. If the picture shows parted lips, which close in silence,
        they are the picture's own landmarks. ``strength`` as in `landmarks`.
        """
        reference_L = self._normalized(reference)
        if not may_rest(reference_L):
            return reference_L[None]
        silence = self.preprocessing.windows(Sound([_SILENT_SECOND]))
        return np.concatenate(list(self.landmarks(reference, silence, strength)))

    def _scaling(self, reference: Reference, strength: float) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
        """Return the function that applies calibration and strength to AT-net's coefficients (T, K)."""
        if isinstance(self.preprocessing, ProjectPreprocessing):
            model, silent_K = self.preprocessing.landmarks, self.silent_coefficients(reference)
            calibration = MouthCalibration.of(model, self._normalized(reference), silent_K)
            return lambda coefficients_TK: calibration.move(coefficients_TK, strength)
        if strength == 1:
            return lambda coefficients_TK: coefficients_TK
        silent_K = self.silent_coefficients(reference)
        return lambda coefficients_TK: silent_K + strength * (coefficients_TK - silent_K)

    @torch.inference_mode()
    def silent_coefficients(self, reference: Reference) -> NDArray[np.float32]:
        """Return AT-net's coefficients (K,) after a second of silence, before calibration."""
        reference_BK = self._tensor(self.preprocessing.project(self._normalized(reference)))
        (windows_TRC,) = self.preprocessing.windows(Sound([_SILENT_SECOND]), chunk=FPS)
        return np.asarray(self.atnet.stream(reference_BK, self._windows(windows_TRC))[0][0, -1].cpu().numpy())

    def _windows(self, windows_TRC: NDArray[np.float32]) -> Tensor:
        return torch.from_numpy(windows_TRC)[None, :, None].to(self.device)

    def paint(
        self, reference: Reference, landmarks: Iterable[NDArray[np.float32]], *, spoken: bool = False
    ) -> Iterator[Painted]:
        """Paint a chunk of frames for each chunk of normalised landmarks (T, 136); `spoken` ones are AT-net's."""
        return self.repaint(((reference, chunk_TL) for chunk_TL in landmarks), spoken=spoken)

    @torch.inference_mode()
    def repaint(
        self, chunks: Iterable[tuple[Reference, NDArray[np.float32]]], *, spoken: bool = False
    ) -> Iterator[Painted]:
        """Paint like `paint`, with a reference per chunk."""
        state = None
        for reference, chunk_TL in chunks:
            reference_L = self._normalized(reference)
            if spoken:
                reference_L = self.preprocessing.reference_for_speech(reference_L)
            image_BCHW = self._tensor(reference.image_HWC.astype(np.float32) / 127.5 - 1.0).permute(0, 3, 1, 2)
            with autocast(self.device, self.precision):
                out = self.vgnet(image_BCHW, self._tensor(reference_L), self._tensor(chunk_TL), state)
            state = out.state_BCHW
            attention_THW = out.attention_BT1HW[0, :, 0].float().cpu().numpy()
            frames_THWC, colour_THWC = _to_uint8(out.frames_BTCHW[0]), _to_uint8(out.colour_BTCHW[0])
            points_T68x2 = self.preprocessing.place(chunk_TL, reference.points_68x2)
            yield Painted(frames_THWC, attention_THW, colour_THWC, points_T68x2, reference)

    def _normalized(self, reference: Reference) -> NDArray[np.float32]:
        return np.asarray(self.preprocessing.normalize(reference.points_68x2[None], reference.points_68x2)[0])

    def _tensor(self, array: NDArray[np.float32]) -> Tensor:
        return torch.from_numpy(array)[None].to(self.device)


def _to_uint8(frames_TCHW: Tensor) -> NDArray[np.uint8]:
    levels = ((frames_TCHW.float() + 1.0) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return levels.permute(0, 2, 3, 1).contiguous().cpu().numpy()


def chunks(array: NDArray[np.float32], frames: int = CHUNK) -> Iterator[NDArray[np.float32]]:
    """Split ``array`` along its first axis into chunks of at most ``frames``."""
    for start in range(0, len(array), frames):
        yield array[start : start + frames]
