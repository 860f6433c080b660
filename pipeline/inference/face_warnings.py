"""Warnings about the face in a picture: several faces, a small, turned or cut-off face, a wide-open mouth."""

import logging
from typing import get_args

from pipeline.config.params import FaceRule, Landmarks, WhichFace
from pipeline.faces.crop import SIZE
from pipeline.faces.select import SMALL, TURNED, ChosenFace
from pipeline.landmarks.shape import eye_distance, lip_gap
from pipeline.runtime.errors import PipelineError

log = logging.getLogger(__name__)

OUTSIDE = 0.1
"""Share of the crop that may lie outside the picture without a warning, such as missing background at one side."""

WIDE_OPEN = 0.25
"""Gap of the inner lips in eye distances from which a mouth is wide open. In GRID 0.4% of the frames exceed it."""


def check_face(name: object, choice: ChosenFace, rule: WhichFace, size: int = SIZE) -> None:
    """Warn if the result will suffer from the face that ``rule`` selected in the picture ``name``.

    ``size`` is the side of the networks' frames in pixels. Raises PipelineError if the face is turned so far that the
    stage landmarks would reject it.
    """
    width = round(choice.box.right - choice.box.left)
    x, y = (choice.box.left + choice.box.right) / 2, (choice.box.top + choice.box.bottom) / 2
    where = f"at x = {x:.0f}, y = {y:.0f}"
    *rules, last = (other for other in get_args(FaceRule) if other != rule)
    option = f"--face {', '.join(rules)}, {last} or a number from the left"
    if choice.frontal < Landmarks().min_frontal:
        several = f", or choose another of {choice.faces} with {option}" if choice.faces > 1 else ""
        reason = f"shows a face ({where}) that is turned to the side, and a corner of its mouth is hidden"
        raise PipelineError(reason, subject=name, advice=f"Give a frontal one{several}.")
    if choice.faces > 1:
        log.warning("%s shows %d faces. The one %s speaks; %s may choose another.", name, choice.faces, where, option)
    smallest = round(SMALL * size / SIZE)
    if width < smallest:
        text = "The face in %s is %d pixels wide, and the video will be blurred. Give one of at least %d."
        log.warning(text, name, width, smallest)
    if choice.frontal < TURNED:
        log.warning("The face in %s is turned to the side, and its mouth may move wrongly. Give a frontal one.", name)
    points_1P2 = choice.points_68x2[None]
    if float(lip_gap(points_1P2)[0] / eye_distance(points_1P2)[0]) > WIDE_OPEN:
        text = "The mouth in %s is wide open, and its lips may not close. Give a picture with closed lips."
        log.warning(text, name)
    if not choice.whole or choice.outside > OUTSIDE:
        log.warning(
            "The face in %s reaches the edge of the picture: %.0f%% of the video repeats that edge. Give a picture "
            "with some room around the face.",
            name,
            100 * choice.outside,
        )
