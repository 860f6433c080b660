"""What is said about the face of a picture: whose it is, and what a video of it will suffer from."""

import logging
from typing import get_args

from pipeline.config.params import FaceRule, Landmarks, WhichFace
from pipeline.faces.crop import SIZE
from pipeline.faces.select import SMALL, TURNED, Choice
from pipeline.runtime.errors import PipelineError

log = logging.getLogger(__name__)

OUTSIDE = 0.1
"""The share of a crop that may lie beyond the picture without a warning: a background that is missing at one side."""


def check_face(name: str, choice: Choice, rule: WhichFace, size: int = SIZE) -> None:
    """Warn where there were several faces, and where the one in the picture ``name`` is small for a video of ``size``
    pixels a side, turned or cut off.

    Raises PipelineError where it is turned so far that the stage landmarks would reject it.
    """
    side = round(choice.box.right - choice.box.left)
    x, y = (choice.box.left + choice.box.right) / 2, (choice.box.top + choice.box.bottom) / 2
    *others, last = (one for one in get_args(FaceRule) if one != rule)
    another = f"--face {', '.join(others)}, {last} or a number from the left"
    where = f"at x = {x:.0f}, y = {y:.0f}"
    if choice.frontal < Landmarks().min_frontal:
        several = f", or choose another of its {choice.faces} with {another}" if choice.faces > 1 else ""
        raise PipelineError(
            f"The face in {name} ({where}) is turned to the side, and a corner of the mouth is hidden. Give a frontal "
            f"one{several}."
        )
    if choice.faces > 1:
        log.warning("%s shows %d faces. The one %s speaks; %s may choose another.", name, choice.faces, where, another)
    if side < (least := round(SMALL * size / SIZE)):
        log.warning(
            "The face in %s is %d pixels wide, and the video will be blurred. Give one of at least %d.",
            *(name, side, least),
        )
    if choice.frontal < TURNED:
        log.warning("The face in %s is turned to the side, and its mouth may move wrongly. Give a frontal one.", name)
    if not choice.whole or choice.outside > OUTSIDE:
        log.warning(
            "The face in %s reaches the edge of the picture: %.0f%% of the video repeats that edge. Give a picture "
            "with some room around the face.",
            *(name, 100 * choice.outside),
        )
