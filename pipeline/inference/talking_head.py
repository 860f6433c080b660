"""Both networks as one: a face that says what it hears."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.config.params import FaceRule, Landmarks, WhichFace
from pipeline.inference.compositing.base import Painted
from pipeline.inference.compositing.mask import SPEAKING, mask_paint
from pipeline.inference.inputs import Picture, Speech, opened_speech, read_reference
from pipeline.inference.loading import bundle_folder, load_preprocessing
from pipeline.inference.preprocessing.base import Preprocessing, Reference
from pipeline.inference.preprocessing.project import ProjectPreprocessing
from pipeline.inference.settings import check_strength
from pipeline.landmarks.mouth_calibration import MouthCalibration, may_rest
from pipeline.models.atnet import AtNet
from pipeline.models.bundle import load_bundle
from pipeline.models.folding import for_inference
from pipeline.models.vgnet import VgNet
from pipeline.runtime.clock import FPS, SAMPLES_PER_FRAME
from pipeline.runtime.devices import autocast, best_device
from pipeline.runtime.machine import Precision
from pipeline.speech.sound import Sound
from pipeline.speech.streaming import CHUNK


class TalkingHead:
    """AT-net, VG-net and the preprocessing they were trained with, on the GPU when there is one.

    Works through frames in chunks, carrying the recurrent states on, so memory does not grow with the speech.
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
        """`precision` is that of VG-net, which takes nearly all the time; AT-net hears in float32 (TF32 on a GPU).

        `card` says what the networks were trained on (`pipeline.models.bundle`).
        """
        self.card = dict(card or {})
        self.atnet = for_inference(atnet, device, "float32")
        self.vgnet = for_inference(vgnet, device, precision)
        self.preprocessing = preprocessing
        self.device = device
        self.precision = precision

    @classmethod
    def from_pretrained(cls, source: str | Path | None = None, precision: Precision = "auto") -> "TalkingHead":
        """From a bundle: a folder, or `models:/NAME@ALIAS`, a registered one, where MLflow is installed; without
        `source` the one that ships with the project.

        Raises PipelineError when a part is missing, damaged, or does not belong to the others.
        """
        bundle = load_bundle(bundle_folder(source))
        return cls(bundle.atnet, bundle.vgnet, load_preprocessing(bundle), best_device(), precision, bundle.card)

    @property
    def size(self) -> int:
        """Side in pixels of the frames: 128 or 256."""
        return self.vgnet.size

    @property
    def face(self) -> FaceRule:
        """Whose face speaks where a picture shows several: `landmarks.face` of the training, as the card has it."""
        rule: FaceRule = self.card.get("face", Landmarks().face)
        return rule

    def generate(
        self, picture: Picture, speech: Speech, face: WhichFace | None = None, strength: float = 1.0
    ) -> Iterator[NDArray[np.uint8]]:
        """The face in the picture says the speech: frames, RGB uint8 (size, size, 3), 25 per second, as long as
        it. They are painted where speech moves the face; elsewhere they are the picture.

        Of several faces ``face`` says which; without it, the rule of the training. ``strength`` as in `landmarks`.
        Raises PipelineError, before the first frame, when the picture holds no face or the speech no sound.
        """
        reference = read_reference(picture, self.preprocessing, self.face if face is None else face)
        with opened_speech(speech, self.preprocessing) as heard_speech:
            heard = self.preprocessing.windows(Sound(heard_speech.blocks))
            painted = self.paint(reference, self.landmarks(reference, heard, strength), spoken=True)
            still_TL = self.still_landmarks(reference, strength)
            for chunk in mask_paint(painted, self.preprocessing, SPEAKING, still_TL):
                yield from chunk.frames_THWC

    @torch.inference_mode()
    def landmarks(
        self, reference: Reference, windows: Iterable[NDArray[np.float32]], strength: float = 1.0
    ) -> Iterator[NDArray[np.float32]]:
        """Normalised landmarks (T, 136) for each chunk of speech windows (T, 28, 12).

        The mouth's resting pose is calibrated to the face (`pipeline.landmarks.mouth_calibration`). With a ``strength``
        above 1 an open mouth moves so much further, and lips that close still close; 0 leaves the picture as it is.
        The published networks have no calibration: their mouth moves ``strength`` times as far from its silent pose.
        Raises PipelineError for a strength below 0 or above 3.
        """
        check_strength(strength)
        reference_L = self._normalized(reference)
        reference_BK = self._tensor(self.preprocessing.project(reference_L))
        scaled, state = self._scaling(reference_L, reference_BK, strength), None
        for chunk_TRC in windows:
            coefficients_BTK, state = self.atnet.stream(reference_BK, self._heard(chunk_TRC), state)
            yield self.preprocessing.expand(reference_L, scaled(coefficients_BTK[0].cpu().numpy()))

    def still_landmarks(self, reference: Reference, strength: float = 1.0) -> NDArray[np.float32]:
        """Normalised landmarks (T, 136) of the first frames that show the picture itself; the last row holds from then
        on. ``strength`` as in `landmarks`.

        They are those of a face that hears nothing for a second, if a face may rest as the picture shows it. A mouth in
        the middle of a word closes in silence: there the landmarks are the picture's own.
        """
        reference_L = self._normalized(reference)
        if not may_rest(reference_L):
            return reference_L[None]
        silence = Sound([np.zeros(FPS * SAMPLES_PER_FRAME, np.int16)])
        return np.concatenate(list(self.landmarks(reference, self.preprocessing.windows(silence), strength)))

    def _scaling(
        self, reference_L: NDArray[np.float32], reference_BK: Tensor, strength: float
    ) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
        """What becomes of AT-net's coefficients (T, K)."""
        if isinstance(self.preprocessing, ProjectPreprocessing):
            calibration = MouthCalibration.of(self.preprocessing.landmarks, reference_L, self._in_silence(reference_BK))
            return lambda coefficients_TK: calibration.move(coefficients_TK, strength)
        if strength == 1:
            return lambda coefficients_TK: coefficients_TK
        silent_K = self._in_silence(reference_BK)
        return lambda coefficients_TK: silent_K + strength * (coefficients_TK - silent_K)

    def silent_coefficients(self, reference: Reference) -> NDArray[np.float32]:
        """AT-net's coefficients (K,) of a face that has heard nothing for a second, before they are calibrated."""
        return self._in_silence(self._tensor(self.preprocessing.project(self._normalized(reference))))

    @torch.inference_mode()
    def _in_silence(self, reference_BK: Tensor) -> NDArray[np.float32]:
        silence_N = np.zeros(FPS * SAMPLES_PER_FRAME, np.int16)
        (windows_TRC,) = self.preprocessing.windows(Sound([silence_N]), chunk=FPS)
        return np.asarray(self.atnet.stream(reference_BK, self._heard(windows_TRC))[0][0, -1].cpu().numpy())

    def _heard(self, windows_TRC: NDArray[np.float32]) -> Tensor:
        return torch.from_numpy(windows_TRC)[None, :, None].to(self.device)

    def paint(
        self, reference: Reference, landmarks: Iterable[NDArray[np.float32]], *, spoken: bool = False
    ) -> Iterator[Painted]:
        """Frames for each chunk of normalised landmarks (T, 136), which are AT-net's where they are `spoken`."""
        return self.repaint(((reference, chunk_TL) for chunk_TL in landmarks), spoken=spoken)

    @torch.inference_mode()
    def repaint(
        self, asked: Iterable[tuple[Reference, NDArray[np.float32]]], *, spoken: bool = False
    ) -> Iterator[Painted]:
        """As `paint`, each chunk over a reference of its own."""
        state = None
        for reference, chunk_TL in asked:
            reference_L = self._normalized(reference)
            if spoken:
                reference_L = self.preprocessing.seen_beside_speech(reference_L)
            image_BCHW = self._tensor(reference.image_HWC.astype(np.float32) / 127.5 - 1.0).permute(0, 3, 1, 2)
            with autocast(self.device, self.precision):
                out = self.vgnet(image_BCHW, self._tensor(reference_L), self._tensor(chunk_TL), state)
            state = out.state_BCHW
            attention_THW = out.attention_BT1HW[0, :, 0].float().cpu().numpy()
            frames_THWC, colour_THWC = _to_uint8(out.frames_BTCHW[0]), _to_uint8(out.colour_BTCHW[0])
            yield Painted(frames_THWC, attention_THW, colour_THWC, chunk_TL, reference)

    def _normalized(self, reference: Reference) -> NDArray[np.float32]:
        return np.asarray(self.preprocessing.normalize(reference.points_68x2[None], reference.points_68x2)[0])

    def _tensor(self, array: NDArray[np.float32]) -> Tensor:
        return torch.from_numpy(array)[None].to(self.device)


def _to_uint8(frames_TCHW: Tensor) -> NDArray[np.uint8]:
    levels = ((frames_TCHW.float() + 1.0) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return levels.permute(0, 2, 3, 1).contiguous().cpu().numpy()


def chunks(array: NDArray[np.float32], frames: int = CHUNK) -> Iterator[NDArray[np.float32]]:
    """``array`` cut along its first axis into chunks of at most ``frames``."""
    for start in range(0, len(array), frames):
        yield array[start : start + frames]
