"""The person's own upper teeth in the frames of a photograph that speaks.

VG-net paints the inside of the mouth in a crop of 128 or 256 pixels, where teeth are one bright strip. A photograph
that smiles shows the person's teeth (`pipeline.inference.find_teeth`). Upper teeth do not move with the jaw: they stay
in their place, and the lips move over them.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.inference.compositing.pixels import Window, blended

SHADED, LIT, DEPTH = 0.6, 1.0, 0.05
"""Brightness of the teeth at the edge of the mouth's opening and further inside, as a share of the photograph's, and
the distance over which it rises, in eye distances."""
APPEAR = (0.012, 0.035)
"""Half of the opening's height in eye distances between which teeth appear. Lips that hardly part show a dark line."""


@dataclass(frozen=True)
class Teeth:
    """Upper teeth in a part of a picture."""

    colours_HWC: NDArray[np.uint8]
    """RGB (H, W, 3), also around the teeth."""
    alpha_HW: NDArray[np.float32]
    """Where they are, 0 to 1."""
    window: Window
    eyes: float
    """The distance of the eyes in pixels of the picture."""

    def draw(self, part_HWC: NDArray[np.uint8], inside_HW: NDArray[np.float32], window: Window) -> NDArray[np.uint8]:
        """Draw the teeth into a part of the picture whose opening of the mouth is ``inside_HW``, 0 to 1."""
        both = self.window.within(window)
        if both is None:
            return part_HWC
        here, own = both.counted_from(window).part, both.counted_from(self.window).part
        inside_HW = np.ascontiguousarray(inside_HW[here])
        depth_HW = cv2.distanceTransform((inside_HW > 0.5).astype(np.uint8), cv2.DIST_L2, 3) / self.eyes
        nearest, full = APPEAR
        appear = float(np.clip((depth_HW.max() - nearest) / (full - nearest), 0, 1))
        if not appear:
            return part_HWC
        light_HW = SHADED + (LIT - SHADED) * np.clip(depth_HW / DEPTH, 0, 1)
        teeth_HWC = (self.colours_HWC[own] * light_HW[..., None]).astype(np.uint8)
        alpha_HW = self.alpha_HW[own] * inside_HW * np.float32(appear)
        drawn_HWC = part_HWC.copy()
        drawn_HWC[here] = blended(teeth_HWC, part_HWC[here], alpha_HW)
        return drawn_HWC
