"""A picture that speaks any number of times, also live."""

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.config.generation import Settings
from pipeline.inference.blinks import closes_eyes, draw_blinks
from pipeline.inference.closed_lips import close_lips
from pipeline.inference.compositing.base import Crop, Painted, View
from pipeline.inference.compositing.footage import Footage, Shot, put_mouth
from pipeline.inference.compositing.lids import find_skin
from pipeline.inference.compositing.mask import DRIVEN, SPEAKING, mask_paint
from pipeline.inference.compositing.panels import Panels
from pipeline.inference.compositing.photograph import MAX_SIDE, Photograph
from pipeline.inference.compositing.sway import Sway
from pipeline.inference.driving_video import driven_landmarks
from pipeline.inference.inputs import Picture, is_video, read_image, read_reference
from pipeline.inference.painter import Painter
from pipeline.preprocessing.base import Reference
from pipeline.preprocessing.project import ProjectPreprocessing
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.step_timer import StepTimer
from pipeline.speech.sound import Sound

log = logging.getLogger(__name__)


class Generator:
    """A talking head prepared for one picture and settings.

    Its memory does not grow with the speech. It does not change after construction, so several threads may share it.

    >>> from pipeline.inference.talking_head import TalkingHead
    >>> generator = Generator(TalkingHead.from_pretrained(), "docs/pictures/face.jpg")
    >>> blocks = (np.zeros(8000, np.int16) for second in range(2))  # such as a microphone's, mono at 16 kHz
    >>> len(list(generator.stream(blocks)))  # frames of the whole picture
    25
    """

    def __init__(
        self, head: Painter, picture: Picture, settings: Settings | None = None, frames: int | None = None
    ) -> None:
        """Find the face in a picture: an image file, a video file (dubbing), or RGB uint8 (H, W, 3).

        ``head`` is usually a `TalkingHead`. ``frames`` is the number of frames that will be generated over a video, if
        it is known. Raises PipelineError if the picture has no face, or the settings do not fit it.
        """
        self.head, self.settings = head, settings or Settings()
        self._footage = self._skin = self._still_T68x2 = None
        part: View | None = None  # None shows the whole picture
        if self.settings.panels:
            part = Panels(head.size)
        elif self.settings.crop:
            part = Crop(head.size)
        if not isinstance(picture, np.ndarray) and is_video(picture):
            self._footage = self._open_footage(Path(picture), frames)
            self.reference: Reference = self._footage.calm()
            self.view = part or self._footage
        else:
            image_HWC = read_image(picture)
            face = head.face if self.settings.face is None else self.settings.face
            self.reference = read_reference(picture, head.preprocessing, face, image_HWC)
            if self.settings.strength > 0 and isinstance(head.preprocessing, ProjectPreprocessing):
                whole = close_lips(image_HWC, self.reference, head.preprocessing)
            else:
                whole = Photograph(image_HWC, self.reference)
            self.reference = whole.reference
            still_TL = head.still_landmarks(self.reference, self.settings.strength)
            self._still_T68x2 = head.preprocessing.place(still_TL, self.reference.points_68x2)
            self._skin = self._find_skin(whole)
            self.view = part or self._whole_view(whole, image_HWC.shape)

    def stream(self, chunks: Iterable[NDArray[np.int16]]) -> Iterator[NDArray[np.uint8]]:
        """Yield frames, RGB uint8 (height, width, 3) at 25 per second, for mono samples (N,) at 16 kHz in chunks.

        Frames come 16 at a time. With the shipped models the first comes after 0.94 s of speech. After the last chunk
        come the frames for the rest. The frames do not depend on the sizes of the chunks.
        """
        return self.view.frames(self.speak(chunks))

    def speak(self, chunks: Iterable[NDArray[np.int16]], steps: StepTimer | None = None) -> Iterator[Painted]:
        """Yield what `stream` yields before the view is applied. ``steps`` collects the seconds of each network."""
        steps = steps or StepTimer()
        windows = self.head.preprocessing.windows(Sound(chunks))
        landmarks = steps.each("AT-net", self.head.landmarks(self.reference, windows, self.settings.strength))
        if self._footage is not None:
            shots = steps.each("the video's frames", self._over_footage(self._footage, landmarks))
            return mask_paint(steps.each("VG-net", self.head.repaint(shots)), SPEAKING)
        painted = steps.each("VG-net", self.head.paint(self.reference, landmarks, spoken=True))
        painted = mask_paint(painted, SPEAKING, self._still_T68x2)
        return painted if self._skin is None else draw_blinks(painted, self._skin, self.settings.seed)

    def follow(self, video_T68x2: NDArray[np.float32], steps: StepTimer | None = None) -> Iterator[Painted]:
        """Yield frames of a still picture whose face moves like that of a video, with these points in a crop."""
        landmarks = driven_landmarks(video_T68x2, self.reference, self.head.preprocessing, self.settings.strength)
        painted = (steps or StepTimer()).each("VG-net", self.head.paint(self.reference, landmarks))
        return mask_paint(painted, DRIVEN)

    def _open_footage(self, path: Path, frames: int | None) -> Footage:
        preprocessing, face = self.head.preprocessing, self.settings.face
        if not isinstance(preprocessing, ProjectPreprocessing):
            raise PipelineError("The published networks speak in a picture only. Give one, or other --models.")
        if self.settings.sway or self.settings.blink:
            advice = "Leave out sway (--head) and blinking (--blink)."
            raise PipelineError("is a video, whose face moves by itself", subject=path, advice=advice)
        if isinstance(face, int):
            advice = "Give --face left, or another rule."
            raise PipelineError("is a video, where faces have no numbers", subject=path, advice=advice)
        return Footage(path, preprocessing.crop, face or self.head.face, frames)

    def _over_footage(
        self, footage: Footage, landmarks: Iterable[NDArray[np.float32]]
    ) -> Iterator[tuple[Shot, NDArray[np.float32]]]:
        """Yield the next frame of the video for each frame of landmarks, with the spoken mouth on its face."""
        shots, normalize = footage.shots(), self.head.preprocessing.normalize
        calm_L = normalize(self.reference.points_68x2[None], self.reference.points_68x2)[0]
        for chunk_TL in landmarks:
            for spoken_L, shot in zip(chunk_TL, shots, strict=False):
                own_L = normalize(shot.points_68x2[None], shot.points_68x2)[0]
                yield shot, put_mouth(own_L, calm_L, spoken_L)[None]

    def _find_skin(self, whole: Photograph) -> float | None:
        """Return how much skin the lids are drawn from, or None if the eyes do not blink."""
        blink = self.settings.blink
        if blink is False or (blink is None and not closes_eyes(self.head, self.reference)):
            return None
        skin = find_skin(whole.picture_HWC, whole.points_68x2)
        if skin is None and blink:
            log.warning("The eyes will not blink: glasses or brows lie too close above them. Leave out --blink.")
        return skin

    def _whole_view(self, whole: Photograph, shape: tuple[int, ...]) -> View:
        height, width = shape[:2]
        if max(height, width) > MAX_SIDE:
            log.warning(
                "The picture is %d pixels wide and %d high, and the video %d and %d.", width, height, *whole.size
            )
        return Sway(whole, self.settings.seed) if self.settings.sway else whole
