"""Closes the lips of a picture before it speaks.

VG-net paints the mouth from the picture's own. From a smile it paints teeth between lips that should close, so the
synthesiser of the training's portraits closes the smile first.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.config.params import WhichFace
from pipeline.inference.compositing.mask import SPEAKING, draw_mask
from pipeline.inference.compositing.photograph import Photograph
from pipeline.landmarks.mouth_calibration import may_rest
from pipeline.landmarks.shape import frontality
from pipeline.preprocessing.base import Preprocessing, Reference


def close_lips(
    image_HWC: NDArray[np.uint8], reference: Reference, preprocessing: Preprocessing, face: WhichFace
) -> tuple[NDArray[np.uint8], Reference] | None:
    """Return an RGB picture whose parted lips are closed, and its reference: the ``face`` that was selected.

    Nothing changes above the nose and outside the face. Returns None if the lips are closed, or the synthesiser cannot
    close them: a mouth that is wide open, or a face turned to the side.
    """
    points_68x2 = reference.points_68x2  # of an upright face
    assert reference.source_68x2 is not None, "the reference was cropped from the picture"
    if may_rest(preprocessing.normalize(points_68x2[None], points_68x2)[0]):
        return None
    # Imported here, because this takes half a second and most pictures do not need it.
    from pipeline.synthetic.face import Face, Pose
    from pipeline.synthetic.portrait import FRONTAL, Unusable, portrait_of, portrait_subject
    from pipeline.synthetic.speakers import Light

    if frontality(points_68x2[None]) < FRONTAL:
        return None
    try:
        portrait = portrait_of(image_HWC, reference.source_68x2.astype(np.float64))
    except Unusable:
        return None
    frame_HWC, _ = Face(portrait_subject(portrait, Light(0.0, 0.0, 0.0), mirrored=False)).render(Pose())
    closed = preprocessing.reference(frame_HWC)
    if closed is None:
        return None
    whole, side = Photograph(image_HWC, reference), len(closed.image_HWC)
    mask_HW = draw_mask(SPEAKING, np.ones(1), (points_68x2, closed.points_68x2), side)
    motion_HW2 = whole.texture.motions(closed.points_68x2[None])[0] if whole.texture else None
    picture_HWC = whole.with_paint(mask_HW, closed.image_HWC, motion_HW2)
    found = preprocessing.reference(picture_HWC, face)
    return None if found is None else (picture_HWC, found)
