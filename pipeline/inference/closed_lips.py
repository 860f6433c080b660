"""Closes the lips of a picture before it speaks, with teeth behind them.

VG-net takes the mouth from the picture. From a smile it paints teeth between lips that should close. So the lips are
first moved to where the synthesiser of the training portraits closes them.
"""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.faces.crop import crop_face
from pipeline.inference.compositing.mask import SPEAKING, draw_mask
from pipeline.inference.compositing.photograph import Photograph
from pipeline.inference.compositing.pixels import sampled, warped
from pipeline.inference.draw_teeth import draw_teeth
from pipeline.inference.find_teeth import find_inside, find_seam
from pipeline.inference.teeth_row import MouthPatch
from pipeline.landmarks.mouth_calibration import CLOSED_GAP, PARTED, may_rest, own_gap
from pipeline.landmarks.points import INNER_LIPS, LOWER_LIP, MOUTH, UPPER_LIP
from pipeline.landmarks.shape import eye_distance, frontality
from pipeline.landmarks.similarity import apply_similarity, invert_similarity
from pipeline.preprocessing.base import Preprocessing, Reference

SMALLEST = 8
"""Least distance of the eyes in pixels. The lips and teeth of a smaller face have no details."""
FRONTAL = 0.5
"""Smallest `frontality`. In a face turned further, a mouth that is closed and narrowed would be distorted."""
MISTAKEN = 2 * PARTED
"""Largest gap that dlib sees between closed lips, in eye distances. It is up to 0.105 on 59 portraits with closed lips.
Lips that are further apart may show a tongue, which looks like lips."""
WHOLE_ROW = (0.35, 0.015)
"""Least width in eye distances, and area in squared ones, of photographed teeth. Fewer teeth are replaced by drawn
ones."""
WIDE = 0.6
"""How much of a smile's width stays: 0 is the synthesiser's mouth at rest, 1 the photograph's. The corners of a wide
smile leave marks where a narrow mouth ends."""
FILL = 0.03
"""Reach of the lips' colours into what was between them, in eye distances."""
SEAM, DARKER = 0.010, 0.6
"""The line between closed lips: its softness in eye distances, and how much darker it is in the middle."""


def close_lips(image_HWC: NDArray[np.uint8], reference: Reference, preprocessing: Preprocessing) -> Photograph:
    """Return the photograph (RGB, H, W, 3) with closed lips and upper teeth behind them.

    Nothing changes above the nose and outside the face, and a mouth at rest only gets teeth. A mouth that is wide open,
    a face that is turned to the side, and one with less than `SMALLEST` pixels between the eyes stay as they are.
    """
    points_68x2 = reference.points_68x2  # of an upright face
    whole = Photograph(image_HWC, reference)
    patch = MouthPatch(whole)
    if patch.eyes < SMALLEST:
        return whole
    inside, landmarks_L = find_inside(patch), preprocessing.normalize(points_68x2[None], points_68x2)[0]
    rests = may_rest(landmarks_L)
    if inside.teeth is None and (rests or (inside.only_lips and own_gap(landmarks_L) <= MISTAKEN)):
        if not rests:
            whole = Photograph(image_HWC, _at_lips(reference, find_seam(patch), patch, whole))
        whole.teeth = draw_teeth(whole, patch).place(whole.points_68x2, whole.size)
        return whole
    closed_68x2 = _closed_points(image_HWC, reference, preprocessing)
    if closed_68x2 is None:
        return whole
    whole = Photograph(whole.picture_HWC, _at_lips(reference, inside.opening_HW, patch, whole))
    back_2x3 = invert_similarity(patch.back_2x3)
    between_HW = warped(inside.opening_HW.astype(np.uint8) * np.uint8(255), back_2x3, whole.size)
    picture_HWC = _with_closed_lips(whole, between_HW, closed_68x2, patch.eyes)
    apart = CLOSED_GAP / 2 * float(eye_distance(points_68x2[None])[0])  # as dlib sees closed lips
    closed_68x2[UPPER_LIP, 1] -= apart
    closed_68x2[LOWER_LIP, 1] += apart
    source_68x2 = apply_similarity(whole.back_2x3, closed_68x2).astype(np.float32)
    crop_HWC = crop_face(picture_HWC, whole.moved.onto_2x3.astype(np.float32), len(reference.image_HWC))
    width, area = WHOLE_ROW
    row = inside.teeth
    if row is None or row.width < width or row.area < area:
        row = draw_teeth(whole, patch)
    closed = Reference(crop_HWC, closed_68x2, reference.choice, source_68x2)
    return Photograph(picture_HWC, closed, row.place(source_68x2, whole.size))


def _at_lips(reference: Reference, opening_HW: NDArray[np.bool_], patch: MouthPatch, whole: Photograph) -> Reference:
    """Return the reference with its inner lips where the opening ends, which dlib finds less exactly."""
    points_68x2, width = reference.points_68x2.copy(), patch.size[0]
    for pair in zip(UPPER_LIP, LOWER_LIP, strict=True):
        x = int(np.clip(round(float(patch.points_68x2[list(pair), 0].mean())), 0, width - 1))
        rows = np.flatnonzero(opening_HW[:, x])
        if len(rows):
            ends = np.array([rows[0] - 0.5, rows[-1] + 0.5])
            points_68x2[list(pair), 1] = (ends + patch.corner[1]) / patch.scale
    source_68x2 = apply_similarity(whole.back_2x3, points_68x2).astype(np.float32)
    return replace(reference, points_68x2=points_68x2, source_68x2=source_68x2)


def _with_closed_lips(
    whole: Photograph, between_HW: NDArray[np.uint8], closed_68x2: NDArray[np.float32], eyes: float
) -> NDArray[np.uint8]:
    """Return the photograph with its lips moved together.

    ``between_HW`` is 255 where the photograph shows the inside of the mouth; the colours of the lips take its place.
    """
    moved, side = whole.moved, whole.moved.side
    mask_HW = draw_mask(SPEAKING, np.ones(1), (moved.reference.points_68x2, closed_68x2), side)
    (motion_HW4,) = moved.motions(closed_68x2[None])
    window, origins, _ = moved.sources(closed_68x2, motion_HW4, mask_HW * whole.fade_HW)
    part_HWC = sampled(whole.picture_HWC, origins, cv2.INTER_CUBIC)
    left_HW = (sampled(between_HW, origins) > 0).astype(np.uint8)
    part_HWC = np.asarray(cv2.inpaint(part_HWC, left_HW, max(2.0, FILL * eyes), cv2.INPAINT_TELEA), np.uint8)

    outline_52 = apply_similarity(whole.back_2x3, closed_68x2[INNER_LIPS]) - (window.left, window.top)
    line_52 = outline_52[:5]  # both lips have the same points here
    picture_HWC = whole.picture_HWC.copy()
    picture_HWC[window.part] = np.round(part_HWC * _seam(line_52, window.size, eyes)[..., None])
    return picture_HWC


def _seam(line_52: NDArray[np.float64], size: tuple[int, int], eyes: float) -> NDArray[np.float32]:
    """Return the brightness (height, width) of the lips around the line where they meet: 1, and less along the line."""
    from scipy.interpolate import PchipInterpolator  # as in `_closed_points`

    along = np.linspace(0, 1, 50)
    points_N2 = PchipInterpolator(np.linspace(0, 1, len(line_52)), line_52)(along)
    canvas_HW = np.zeros(size[::-1], np.uint8)
    levels = np.round(255 * np.minimum(1, 6 * np.minimum(along, 1 - along))[1:])  # it fades towards the corners
    for ends_22, level in zip(np.stack([points_N2[:-1], points_N2[1:]], axis=1), levels.tolist(), strict=True):
        cv2.polylines(canvas_HW, [np.round(ends_22 * 16).astype(np.int32)], False, level, 1, cv2.LINE_AA, 4)
    line_HW = cv2.GaussianBlur(canvas_HW.astype(np.float32), (0, 0), max(0.6, SEAM * eyes))
    return np.asarray(1 - DARKER * line_HW / max(1.0, float(line_HW.max())), np.float32)


def _closed_points(
    image_HWC: NDArray[np.uint8], reference: Reference, preprocessing: Preprocessing
) -> NDArray[np.float32] | None:
    """Return the face's points with closed lips, in pixels of the crop; None if the synthesiser cannot close them."""
    if frontality(reference.points_68x2[None]) < FRONTAL:
        return None
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
    closed = preprocessing.reference(frame_HWC)
    if closed is None:
        return None
    points_68x2 = reference.points_68x2.copy()
    points_68x2[MOUTH] = closed.points_68x2[MOUTH]
    narrower = float(np.ptp(points_68x2[MOUTH, 0]) / np.ptp(reference.points_68x2[MOUTH, 0]))
    middle = points_68x2[MOUTH, 0].mean()
    points_68x2[MOUTH, 0] = middle + (points_68x2[MOUTH, 0] - middle) * (1 + WIDE * (1 / narrower - 1))
    points_68x2[UPPER_LIP] = points_68x2[LOWER_LIP] = (points_68x2[UPPER_LIP] + points_68x2[LOWER_LIP]) / 2
    return points_68x2
