"""Whose face is posed: a photograph, where its parts lie, and what is behind and within it."""

from dataclasses import dataclass

import numpy as np

from pipeline.corpora.synthetic import anatomy as body
from pipeline.corpora.synthetic import outlines
from pipeline.corpora.synthetic.appearance import Appearance, Light
from pipeline.corpora.synthetic.mouth import Teeth
from pipeline.corpora.synthetic.paint import Picture, background, painted
from pipeline.corpora.synthetic.photo import Plane, photo


@dataclass(frozen=True)
class Subject:
    """Everything a `Face` is made of."""

    anatomy: body.Anatomy
    image_HWC: Picture
    """The photograph, RGB from 0 to 255."""
    person_HW: Plane
    """1 where it shows the person, 0 where the background below is seen."""
    background_HWC: Picture
    """RGB from 0 to 255, of the frame's size."""
    teeth: Teeth | None
    """None where the photograph shows none."""
    light: Light
    mirrored: bool


def subject_of(appearance: Appearance) -> Subject:
    """A speaker of the sample corpus: the one photograph in other proportions and colours."""
    image = painted(photo(), appearance)
    teeth = Teeth(
        image_HWC=image,
        rim_N2=np.array([*outlines.UPPER_INNER, *reversed(outlines.LOWER_INNER)]),
        edge=np.array([222.3, 148.9]),
        zoom=body.SCALE * appearance.scale * appearance.shape.mouth_width * 0.92,
    )
    return Subject(
        anatomy=body.anatomy(appearance),
        image_HWC=image,
        person_HW=photo().person,
        background_HWC=background(appearance),
        teeth=teeth,
        light=appearance.light,
        mirrored=appearance.mirrored,
    )
