"""The main entry point: a talking head from a bundle."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.bundles.bundle import load_bundle
from pipeline.config.generation import Settings
from pipeline.config.params import WhichFace
from pipeline.inference.generator import Generator
from pipeline.inference.inputs import Picture, Speech, opened_speech
from pipeline.inference.painter import Painter
from pipeline.preprocessing.loading import bundle_folder, load_preprocessing
from pipeline.runtime.devices import best_device
from pipeline.runtime.machine import Precision


class TalkingHead(Painter):
    """Makes the face in a picture speak, on the GPU if there is one.

    >>> from pipeline.inference.settings import Settings
    >>> head = TalkingHead.from_pretrained()
    >>> face = head.generate("docs/pictures/face.jpg", "docs/speech.wav")
    >>> next(face).shape  # the face alone, RGB uint8
    (128, 128, 3)
    >>> photograph = head.generate("docs/pictures/face.jpg", "docs/speech.wav", settings=Settings(strength=1.3))
    >>> next(photograph).shape  # the whole picture
    (288, 360, 3)
    """

    @classmethod
    def from_pretrained(cls, source: str | Path | None = None, precision: Precision = "auto") -> "TalkingHead":
        """Load a bundle.

        Args:
            source: A folder, or `models:/NAME@ALIAS` of MLflow; None for the bundle that ships with the project.
            precision: Number format of VG-net.

        Raises:
            PipelineError: A part is missing or damaged, or two parts do not fit each other.
        """
        bundle = load_bundle(bundle_folder(source))
        return cls(bundle.atnet, bundle.vgnet, load_preprocessing(bundle), best_device(), precision, bundle.card)

    def generate(
        self,
        picture: Picture,
        speech: Speech,
        face: WhichFace | None = None,
        strength: float = 1.0,
        *,
        settings: Settings | None = None,
    ) -> Iterator[NDArray[np.uint8]]:
        """Yield the frames of a video in which the face says the speech: RGB uint8, 25 per second.

        Args:
            picture: An image file, a video file (dubbing), or RGB uint8 (H, W, 3).
            speech: A sound or video file, or mono int16 samples (N,) at 16 kHz.
            face: Which of several faces speaks. Default: the rule of the training.
            strength: How far the mouth opens, 0 to 3.
            settings: All options, in place of `face` and `strength`. `Settings()` gives what `atvgnet generate` shows:
                the whole picture. Without settings the frames are the face alone (size, size, 3), without blinks.

        Raises:
            PipelineError: Before the first frame, if the picture has no face or the speech no sound.
        """
        settings = settings or Settings(face, strength, blink=False, crop=True)
        with opened_speech(speech, self.preprocessing) as opened:
            yield from Generator(self, picture, settings, opened.frames).stream(opened.blocks)
