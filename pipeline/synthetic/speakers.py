"""The sample corpus's speakers: face, colours, light, background and voice, drawn from the seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from pipeline.speech.espeak import Voice

Colour = tuple[float, float, float]


class Stream(IntEnum):
    """Numbers of the random streams; a generator is seeded with the corpus's seed and one of these."""

    SENTENCES = 0
    SPEAKERS = 1
    CLIPS = 2
    BACKGROUND = 7
    DELIVERY = 1000
    TEXTS = 1001


# Skin: mean CIE Lab colour, and the contrast of its lightness.
_SKINS = (
    (71.0, 11.0, 15.0, 1.00), (74.0, 9.0, 12.0, 0.90), (65.0, 12.0, 19.0, 1.00), (55.0, 13.0, 20.0, 0.95),
    (69.0, 14.0, 16.0, 1.00), (47.0, 13.0, 18.0, 0.90), (67.0, 10.0, 20.0, 1.00), (41.0, 12.0, 16.0, 0.90),
)  # fmt: skip
# Hair: the same.
_HAIRS = (
    (42.0, 5.0, 22.0, 1.0), (16.0, 1.0, 2.0, 0.55), (32.0, 18.0, 24.0, 0.9), (62.0, 4.0, 27.0, 1.0),
    (24.0, 7.0, 11.0, 0.75), (53.0, 0.0, 2.0, 0.85), (19.0, 4.0, 6.0, 0.6), (34.0, 9.0, 19.0, 0.9),
)  # fmt: skip
# Suit: degrees by which its orange is turned, and its saturation.
_SUITS = ((0, 1.0), (205, 0.75), (130, 0.55), (330, 0.8), (180, 0.6), (20, 0.85), (255, 0.55), (0, 0.15))
_BACKGROUNDS = (
    ((40, 120, 175), (20, 75, 125)), ((176, 170, 165), (120, 114, 112)), ((92, 132, 108), (48, 80, 66)),
    ((168, 150, 190), (104, 88, 132)), ((205, 196, 170), (150, 138, 110)), ((70, 82, 100), (34, 40, 54)),
    ((150, 190, 205), (92, 134, 152)), ((190, 140, 118), (128, 82, 68)),
)  # fmt: skip
# Voice, pitch and rate: clear variants of English.
_VOICES = (
    ("en-us+f2", 50, 155), ("en-gb-x-rp+f3", 56, 150), ("en-gb-scotland+f4", 44, 152), ("en-us+f1", 60, 160),
    ("en-029+f2", 46, 158), ("en-us-nyc+Annie", 52, 150), ("en-gb-x-gbclan+steph", 48, 155), ("en-us+f5", 42, 148),
)  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """Difference from the photographed face, as factors (1: none) and a shift (0: none)."""

    face_width: float
    chin: float
    """Length of the lower face."""
    eye_distance: float
    eye_size: float
    brow_lift: float
    """A share of the face's width."""
    nose_width: float
    nose_length: float
    mouth_width: float
    lip_fullness: float
    hair_volume: float


@dataclass(frozen=True)
class Light:
    """The light on a face."""

    angle: float
    """Radians: 0 from the right, pi/2 from above."""
    strength: float
    """How much brighter the lit side is, 0 to 1."""
    warmth: float
    """-1 (blue) to 1 (yellow)."""


@dataclass(frozen=True)
class Appearance:
    """A speaker: everything that is the same in all of their clips."""

    speaker: str
    voice: Voice
    articulation: float
    shape: Shape
    mirrored: bool
    scale: float
    """Size of the head in the frame; 1 is plain."""
    skin: tuple[float, float, float, float]
    hair: tuple[float, float, float, float]
    suit: tuple[int, float]
    background: tuple[Colour, Colour]
    light: Light
    seed: int


def draw_appearances(speakers: int, seed: int) -> list[Appearance]:
    """Speakers ``s1`` to ``sN``.

    The first eight have no skin, hair, suit, background or voice in common; later ones combine them differently.
    """
    rng = np.random.default_rng((seed, Stream.SPEAKERS))
    # Each choice occurs once before any occurs twice.
    tables = (_SKINS, _HAIRS, _SUITS, _BACKGROUNDS, _VOICES)
    orders = [np.concatenate([rng.permutation(len(table)) for _ in range(0, speakers, len(table))]) for table in tables]
    return [_draw(f"s{i + 1}", [int(order[i]) for order in orders], rng) for i in range(speakers)]


def _draw(speaker: str, choice: Sequence[int], rng: np.random.Generator) -> Appearance:
    skin, hair, suit, background, voice = choice
    name, pitch, rate = _VOICES[voice]

    def about(middle: float, spread: float) -> float:
        return float(rng.uniform(middle - spread, middle + spread))

    return Appearance(
        speaker=speaker,
        voice=Voice(name, round(about(rate, 8)), round(about(pitch, 8)), round(about(55, 10))),
        articulation=about(1.0, 0.12),
        shape=Shape(
            face_width=about(1.01, 0.075),
            chin=about(1.02, 0.10),
            eye_distance=about(1.0, 0.05),
            eye_size=about(1.02, 0.12),
            brow_lift=about(0.0, 0.025),
            nose_width=about(1.05, 0.15),
            nose_length=about(1.0, 0.08),
            mouth_width=about(1.0, 0.08),
            lip_fullness=about(1.05, 0.15),
            hair_volume=about(0.99, 0.07),
        ),
        mirrored=bool(rng.integers(2)),
        scale=about(1.0, 0.04),
        skin=_SKINS[skin],
        hair=_HAIRS[hair],
        suit=_SUITS[suit],
        background=_BACKGROUNDS[background],
        light=Light(angle=about(np.pi / 2, np.pi / 2), strength=about(0.2, 0.12), warmth=about(0.0, 0.8)),
        seed=int(rng.integers(2**31)),
    )
