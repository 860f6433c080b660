"""Closes the lips of a picture before it speaks, with teeth behind them.

VG-net paints the mouth from the picture's own. From a smile it paints teeth between lips that should close, so the
synthesiser of the training's portraits closes the smile first.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.config.params import WhichFace
from pipeline.inference.compositing.base import Painted
from pipeline.inference.compositing.mask import SPEAKING, draw_mask
from pipeline.inference.compositing.photograph import Photograph
from pipeline.inference.compositing.teeth import Teeth
from pipeline.inference.draw_teeth import draw_teeth
from pipeline.inference.find_teeth import find_teeth
from pipeline.inference.teeth_row import MouthPatch
from pipeline.landmarks.mouth_calibration import may_rest
from pipeline.landmarks.shape import frontality
from pipeline.preprocessing.base import Preprocessing, Reference

FRONTAL = 0.5
"""Smallest `frontality`. In a face turned further, a mouth that is closed and narrowed would be distorted."""


WHOLE_ROW = (0.35, 0.015)
"""Least width in eye distances, and area in squared ones, of photographed teeth. Fewer teeth are replaced by drawn
ones."""


class ClosedLips(NamedTuple):
    """A picture with closed lips."""

    picture_HWC: NDArray[np.uint8]
    reference: Reference
    teeth: Teeth | None
    """The teeth behind the lips: those that the picture showed, or drawn ones. None if the lips could not be closed."""


def close_lips(
    image_HWC: NDArray[np.uint8], reference: Reference, preprocessing: Preprocessing, face: WhichFace
) -> ClosedLips:
    """Close the parted lips of an RGB picture: the ``face`` that was selected, with this reference.

    Nothing changes above the nose and outside the face. A mouth that is wide open, or a face turned to the side, stays
    as it is, because the synthesiser cannot close its lips.
    """
    points_68x2 = reference.points_68x2  # of an upright face
    whole = Photograph(image_HWC, reference)
    patch = MouthPatch(whole)
    row = find_teeth(patch)
    if row is None and may_rest(preprocessing.normalize(points_68x2[None], points_68x2)[0]):
        teeth = draw_teeth(whole, patch).place(whole.points_68x2, whole.size)
        return ClosedLips(whole.picture_HWC, reference, teeth)
    closed = None if frontality(points_68x2[None]) < FRONTAL else _synthesised(image_HWC, reference, preprocessing)
    if closed is None:
        return ClosedLips(image_HWC, reference, None)
    if row is not None:  # its teeth may reach beyond dlib's inner lips
        whole.moved.own_inside_HW = np.maximum(whole.moved.own_inside_HW, row.hidden(whole.size))
    mask_HW = draw_mask(SPEAKING, np.ones(1), (points_68x2, closed.points_68x2), len(closed.image_HWC))
    one_HWC, one_HW = closed.image_HWC[None], mask_HW[None]
    painted = Painted(one_HWC, one_HW, one_HWC, closed.points_68x2[None], reference, moving_THW=one_HW)
    (picture_HWC,) = whole.frames([painted])
    found = preprocessing.reference(picture_HWC, face)
    if found is None or found.source_68x2 is None:
        return ClosedLips(image_HWC, reference, None)
    width, area = WHOLE_ROW
    if row is None or row.width < width or row.area < area:
        row = draw_teeth(whole, patch)
    return ClosedLips(picture_HWC, found, row.place(found.source_68x2, whole.size))


def _synthesised(image_HWC: NDArray[np.uint8], reference: Reference, preprocessing: Preprocessing) -> Reference | None:
    """Return the synthesiser's face with closed lips; None if it cannot close them."""
    # Imported here, because this takes half a second and most pictures do not need it.
    from pipeline.synthetic.face import Face, Pose
    from pipeline.synthetic.portrait import Unusable, portrait_of, portrait_subject
    from pipeline.synthetic.speakers import Light

    assert reference.source_68x2 is not None, "the reference was cropped from the picture"
    try:
        portrait = portrait_of(image_HWC, reference.source_68x2.astype(np.float64))
    except Unusable:
        return None
    frame_HWC, _ = Face(portrait_subject(portrait, Light(0.0, 0.0, 0.0), mirrored=False)).render(Pose())
    return preprocessing.reference(frame_HWC)
