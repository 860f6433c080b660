"""The subject of a clip: a photograph with its control points, colours, light and background."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.synthetic import anatomy as body
from pipeline.synthetic import outlines
from pipeline.synthetic.features import STUDIO_MOUTH, MouthColours, Teeth
from pipeline.synthetic.photo import Photo, Plane, photo
from pipeline.synthetic.speakers import Appearance, Light, Stream
from pipeline.synthetic.warp import HEIGHT, WIDTH

Picture = NDArray[np.float32]

_EYES_SHARE = 0.6  # how much eyes darken with darker skin: eyes left bright seem to glow


@dataclass(frozen=True)
class Subject:
    """The input of a `Face`."""

    anatomy: body.Anatomy
    image_HWC: Picture
    """The photograph, RGB 0 to 255."""
    person_HW: Plane
    """1 on the person, 0 where the new background shows."""
    background_HWC: Picture
    """RGB 0 to 255, of the frame's size."""
    teeth: Teeth | None
    """None paints the upper teeth."""
    mouth: MouthColours
    light: Light
    mirrored: bool


def sample_subject(appearance: Appearance) -> Subject:
    """A speaker of the sample corpus: the photograph with the speaker's proportions and colours."""
    image, anatomy = _painted(photo(), appearance), body.anatomy(appearance)
    rim = np.array([*outlines.UPPER_INNER, *reversed(outlines.LOWER_INNER)])
    zoom = body.SCALE * appearance.scale * appearance.shape.mouth_width * 0.92
    teeth, background = Teeth(image, rim, np.array([222.3, 148.9]), zoom), _background(appearance)
    person, light = photo().person, appearance.light
    return Subject(anatomy, image, person, background, teeth, STUDIO_MOUTH, light, appearance.mirrored)


def _painted(photo: Photo, appearance: Appearance) -> Picture:
    """The photograph in the speaker's colours, RGB 0 to 255."""
    image = photo.image_HWC.astype(np.float32) / np.float32(255)
    lab = _converted(image, cv2.COLOR_RGB2LAB)
    skin = photo.skin * (1 - 0.85 * photo.eyes)
    lightness, red, yellow, _ = appearance.skin
    darker = max(0.0, 1 - lightness / float(np.average(lab[..., 0], weights=skin)))
    lab = _toned(lab, skin, appearance.skin)
    lab[..., 0] *= 1 - _EYES_SHARE * darker * photo.eyes
    lab = _toned(lab, photo.lips, (lightness, red + 11, yellow - 1, 0.8))
    lab = _toned(lab, photo.hair, appearance.hair)
    image = _converted(lab, cv2.COLOR_LAB2RGB)
    turn, saturation = appearance.suit
    hsv = _converted(image, cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0] + turn) % 360
    hsv[..., 1] *= saturation
    image += (_converted(hsv, cv2.COLOR_HSV2RGB) - image) * photo.suit[..., None]
    return image.clip(0, 1) * np.float32(255)


def lit(picture: Picture, light: Light, middle: tuple[float, float], reach: float) -> Picture:
    """Light ``picture``; the light changes over ``reach`` pixels on both sides of ``middle``."""
    rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]].astype(np.float32)
    towards = (columns - middle[0]) * np.cos(light.angle) - (rows - middle[1]) * np.sin(light.angle)
    share = 1 + light.strength * np.tanh(towards / reach)
    colour = 1 + 0.06 * light.warmth * np.array([1, 0.2, -1.2], np.float32)
    return np.asarray(np.clip(picture * share[..., None] * colour, 0, 255), np.float32)


def _background(appearance: Appearance) -> Picture:
    """A lit studio wall, RGB 0 to 255, of the frame's size."""
    rng = np.random.default_rng((appearance.seed, Stream.BACKGROUND))
    rows, columns = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    near = np.hypot((columns - WIDTH * rng.uniform(0.3, 0.7)) / WIDTH, (rows - HEIGHT * 0.35) / HEIGHT) / 0.8
    blotches = cv2.GaussianBlur(rng.standard_normal((HEIGHT, WIDTH)).astype(np.float32), (0, 0), 24)
    share = np.clip(near + 0.12 * blotches / blotches.std(), 0, 1)[..., None]
    bright, dark = (np.array(colour, np.float32) for colour in appearance.background)
    grain = rng.standard_normal((HEIGHT, WIDTH, 1)).astype(np.float32)
    return np.asarray(np.clip(bright + (dark - bright) * share + grain, 0, 255), np.float32)


def _toned(lab: Picture, mask: NDArray[np.float32], tone: tuple[float, float, float, float]) -> Picture:
    """Move the mean colour under ``mask`` to ``tone``, whose last number scales the contrast of details."""
    *target, contrast = tone
    mean = np.average(lab.reshape(-1, 3), axis=0, weights=mask.ravel()).astype(np.float32)
    chroma = min(1.0, math.hypot(*target[1:]) / math.hypot(*mean[1:]))  # grey hair has no coloured strands
    spread = np.array([contrast, chroma, chroma], np.float32)
    toned = np.array(target, np.float32) + (lab - mean) * spread
    return lab + (toned - lab) * mask[..., None]


def _converted(picture: Picture, code: int) -> Picture:
    return np.asarray(cv2.cvtColor(picture, code), np.float32)
