"""The limits a clip's metrics must keep to; each is a param of the stage that rejects the clip.

A verdict is made from metrics that are already there, so a changed limit decodes nothing again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SEPARATOR = "; "
"""Stands between the causes of a reason, of which a clip may have several."""


@dataclass(frozen=True)
class Limit:
    """The lowest or highest value of a metric, a column of the quality table."""

    metric: str
    section: str
    """The section of params.yaml, which is the stage that judges."""
    param: str
    """Named ``min_...`` or ``max_...``; a largest value holds for both signs of the metric."""
    meaning: str
    """What is wrong with a clip beyond the limit."""

    @property
    def smallest(self) -> bool:
        """Whether it is a smallest value."""
        return self.param.startswith("min_")

    def value(self, params: Any) -> float:
        """The limit itself; ``params`` are those of its section."""
        return float(getattr(params, self.param))

    def cause(self, metric: float, limit: float) -> str:
        """Why the clip is rejected, the same words for every such clip; empty when it keeps to the limit.

        A metric that could not be measured (NaN) is not a cause: why it could not be is one itself.
        """
        if metric < limit if self.smallest else abs(metric) > limit:
            how = "below" if self.smallest else "beyond"
            return f"{self.meaning} ({self.metric} {how} {self.section}.{self.param} = {limit:g})"
        return ""


LIMITS = (
    Limit("frames", "extract", "min_frames", "too few frames at 25 fps"),
    Limit("damaged", "extract", "max_damaged", "too many damaged frames"),
    Limit("level", "extract", "min_level", "the sound is too quiet"),
    Limit("length_difference", "extract", "max_length_difference", "sound and picture differ in length"),
    Limit("detected", "landmarks", "min_detected", "the face is found in too few frames"),
    Limit("score", "landmarks", "min_score", "the detector is not sure of the face"),
    Limit("face_size", "landmarks", "min_face_size", "the face is too small"),
    Limit("jitter", "landmarks", "max_jitter", "the points of the face shake"),
    Limit("sharpness", "landmarks", "min_sharpness", "the face is blurred"),
    Limit("mouth", "landmarks", "min_mouth", "the mouth shows in too few frames"),
    Limit("frontal", "landmarks", "min_frontal", "the head is turned away"),
    Limit("cuts", "landmarks", "max_cuts", "another shot begins within the clip"),
    Limit("identity", "landmarks", "max_identity", "two people are seen as one"),
    Limit("movement", "landmarks", "min_movement", "the mouth does not move"),
    Limit("sync", "landmarks", "min_sync", "sound and lips do not go together"),
)


def verdict(metrics: Mapping[str, Any], section: str, params: Any) -> str:
    """Why the stage ``section`` rejects a clip of these metrics; empty when they keep to its ``params``."""
    limits = [limit for limit in LIMITS if limit.section == section]
    causes = [limit.cause(metrics[limit.metric], limit.value(params)) for limit in limits]
    return SEPARATOR.join(filter(None, causes))
