"""One picture, made to speak as often as wanted."""

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.config.params import FaceRule
from pipeline.inference.blinks import closes_eyes, put_blinks
from pipeline.inference.compositing.base import Painted, View
from pipeline.inference.compositing.crop import Crop
from pipeline.inference.compositing.footage import Footage, Shot, put_mouth
from pipeline.inference.compositing.lids import find_skin
from pipeline.inference.compositing.mask import DRIVEN, SPEAKING, mask_paint
from pipeline.inference.compositing.panels import Panels
from pipeline.inference.compositing.photograph import Photograph
from pipeline.inference.compositing.sway import Sway
from pipeline.inference.drive import Drive
from pipeline.inference.inputs import Picture, is_video, read_image, read_reference
from pipeline.inference.preprocessing.base import Reference
from pipeline.inference.preprocessing.project import ProjectPreprocessing
from pipeline.inference.settings import Settings
from pipeline.inference.talking_head import TalkingHead
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.progress import StepTimer
from pipeline.speech.sound import Sound

log = logging.getLogger(__name__)


class Generator:
    """A talking head bound to a picture and settings::

        generator = Generator(TalkingHead.from_pretrained(), "face.jpg")
        for frame in generator.stream(microphone()):  # blocks of samples in, frames out
            show(frame)

    What it keeps does not grow with the speech, and nothing of it changes once it is made: several threads may use it
    at once.
    """

    def __init__(
        self, head: TalkingHead, picture: Picture, settings: Settings | None = None, frames: int | None = None
    ) -> None:
        """``picture`` is an image, or a video (dubbing), of which ``frames`` are needed where that is known.

        Raises PipelineError when it shows no face, or the settings do not suit it.
        """
        self.head, self.settings = head, settings or Settings()
        self._footage = self._skin = self._still_TL = None
        if not isinstance(picture, np.ndarray) and is_video(picture):
            self._footage = self._open_footage(Path(picture), frames)
            self.reference: Reference = self._footage.calm()
            self.view = self._part() or self._footage
        else:
            image_HWC = read_image(picture)
            face = head.face if self.settings.face is None else self.settings.face
            self.reference = read_reference(picture, head.preprocessing, face, image_HWC)
            self._still_TL = head.still_landmarks(self.reference, self.settings.strength)
            self._skin = self._find_skin(image_HWC)
            self.view = self._part() or self._whole(image_HWC)

    def stream(self, chunks: Iterable[NDArray[np.int16]]) -> Iterator[NDArray[np.uint8]]:
        """Frames, RGB (height, width, 3) of the view's size, 25 per second, of the face that says the speech: mono
        samples (N,) at 16 kHz in chunks of any lengths.

        Frames come 16 at a time, as soon as 0.14 s beyond them are heard: the first after 0.78 s of speech, and after
        the last chunk as many as the speech lasts, to the frame begun. They are the same whatever the chunks.
        """
        return self.view.frames(self.speak(chunks))

    def speak(self, chunks: Iterable[NDArray[np.int16]], steps: StepTimer | None = None) -> Iterator[Painted]:
        """As `stream`, before the view; ``steps`` gets the seconds of each network."""
        steps = steps or StepTimer()
        windows = self.head.preprocessing.windows(Sound(chunks))
        landmarks = steps.each("AT-net", self.head.landmarks(self.reference, windows, self.settings.strength))
        if self._footage is not None:
            shots = steps.each("the video's frames", self._over_footage(self._footage, landmarks))
            return mask_paint(steps.each("VG-net", self.head.repaint(shots)), self.head.preprocessing, SPEAKING)
        painted = steps.each("VG-net", self.head.paint(self.reference, landmarks, spoken=True))
        painted = mask_paint(painted, self.head.preprocessing, SPEAKING, self._still_TL)
        return painted if self._skin is None else put_blinks(painted, self._skin, self.settings.seed)

    def follow(self, drive: Drive, steps: StepTimer | None = None) -> Iterator[Painted]:
        """The face of a still picture that moves as another one does."""
        asked = drive.landmarks(self.reference, self.head.preprocessing, self.settings.strength)
        painted = (steps or StepTimer()).each("VG-net", self.head.paint(self.reference, asked))
        return mask_paint(painted, self.head.preprocessing, DRIVEN)

    def _open_footage(self, path: Path, frames: int | None) -> Footage:
        preprocessing, face = self.head.preprocessing, self.settings.face
        if not isinstance(preprocessing, ProjectPreprocessing):
            raise PipelineError("The published networks speak in a picture only. Give one, or other --models.")
        if self.settings.sway or self.settings.blink:
            raise PipelineError(f"The face in {path} moves by itself: leave out sway (--head) and blinking (--blink).")
        if isinstance(face, int):
            raise PipelineError(f"{path} is a video, where faces have no numbers: give --face left, or another rule.")
        rule: FaceRule = face or self.head.face
        return Footage.of(path, preprocessing.crop, rule, frames)

    def _over_footage(
        self, footage: Footage, landmarks: Iterable[NDArray[np.float32]]
    ) -> Iterator[tuple[Shot, NDArray[np.float32]]]:
        shots, normalize = footage.shots(), self.head.preprocessing.normalize
        calm_L = normalize(self.reference.points_68x2[None], self.reference.points_68x2)[0]
        for chunk_TL in landmarks:
            for spoken_L, shot in zip(chunk_TL, shots, strict=False):
                own_L = normalize(shot.points_68x2[None], shot.points_68x2)[0]
                yield shot, put_mouth(own_L, calm_L, spoken_L)[None]

    def _find_skin(self, image_HWC: NDArray[np.uint8]) -> float | None:
        """What blinks are drawn from; None where the eyes do not blink."""
        wanted = self.settings.blink
        if wanted is False or (wanted is None and not closes_eyes(self.head, self.reference)):
            return None
        assert self.reference.source_68x2 is not None, "the reference was cropped from the picture"
        skin = find_skin(image_HWC, self.reference.source_68x2)
        if skin is None and wanted:
            log.warning("The eyes will not blink: glasses or brows lie too close above them. Leave out --blink.")
        return skin

    def _part(self) -> View | None:
        """Where not the whole picture is shown."""
        if self.settings.panels:
            return Panels(self.head.size, self.head.preprocessing)
        return Crop(self.head.size) if self.settings.crop else None

    def _whole(self, image_HWC: NDArray[np.uint8]) -> View:
        whole = Photograph.of(image_HWC, self.reference)
        return Sway.of(whole, self.settings.seed) if self.settings.sway else whole
