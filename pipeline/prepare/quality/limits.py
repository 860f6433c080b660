"""The metrics of a clip with their limits. Each limit is a parameter of the stage that rejects the clip.

A verdict is made from stored metrics, so a changed limit decodes nothing again.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.corpora.base import SPLITS
from pipeline.runtime.errors import PipelineError

SEPARATOR = "; "
"""Separates the causes of a reason."""


@dataclass(frozen=True)
class Limit:
    """A metric, which is a column of the quality table, and its lowest or highest value."""

    metric: str
    section: str
    """The stage that measures the metric and rejects clips, and its section of params.yaml."""
    param: str
    """The limit's key, ``min_...`` or ``max_...``. A maximum also limits the amount of negative values."""
    title: str
    unit: str
    meaning: str
    """What is wrong with a clip beyond the limit."""
    without_face: float = math.nan
    """The metric of a clip without a face."""

    @property
    def is_minimum(self) -> bool:
        """Whether it is the lowest value."""
        return self.param.startswith("min_")

    @property
    def label(self) -> str:
        """Title and unit."""
        return f"{self.title}, {self.unit}" if self.unit else self.title

    def value(self, params: Any) -> float:
        """The limit itself; ``params`` are those of its section."""
        return float(getattr(params, self.param))

    def cause(self, metric: float, limit: float) -> str:
        """Why the clip is rejected, in the same words for every such clip; empty within the limit.

        A metric that could not be measured (NaN) is no cause, because the failure itself already is.
        """
        if metric < limit if self.is_minimum else abs(metric) > limit:
            how = "below" if self.is_minimum else "beyond"
            return f"{self.meaning} ({self.metric} {how} {self.section}.{self.param} = {limit:g})"
        return ""


# fmt: off
LIMITS = (
    Limit("frames", "extract", "min_frames", "frames at 25 fps", "", "too few frames at 25 fps"),
    Limit("damaged", "extract", "max_damaged", "damaged frames", "share", "too many damaged frames"),
    Limit("level", "extract", "min_level", "level of the sound", "dB", "the sound is too quiet"),
    Limit("length_difference", "extract", "max_length_difference", "sound longer than picture", "s",
          "sound and picture differ in length"),
    Limit("detected", "landmarks", "min_detected", "face found", "share of frames",
          "the face is found in too few frames", without_face=0.0),
    Limit("score", "landmarks", "min_score", "detector's score", "", "the detector is not sure of the face"),
    Limit("face_size", "landmarks", "min_face_size", "face size", "source px", "the face is too small"),
    Limit("jitter", "landmarks", "max_jitter", "jitter", "crop px", "the points of the face shake"),
    Limit("sharpness", "landmarks", "min_sharpness", "sharpness", "", "the face is blurred"),
    Limit("mouth", "landmarks", "min_mouth", "mouth shows", "share of frames",
          "the mouth shows in too few frames", without_face=0.0),
    Limit("frontal", "landmarks", "min_frontal", "frontal (1) to turned away (0)", "", "the head is turned away"),
    Limit("cuts", "landmarks", "max_cuts", "shots that begin within the clip", "",
          "another shot begins within the clip"),
    Limit("identity", "landmarks", "max_identity", "how unlike its faces are", "", "two people are seen as one"),
    Limit("movement", "landmarks", "min_movement", "movement of the mouth", "crop px", "the mouth does not move"),
    Limit("sync", "landmarks", "min_sync", "sound and lips", "correlation", "sound and lips do not go together"),
)
# fmt: on
QUALITY_METRICS = tuple(limit.metric for limit in LIMITS)


def limits_of(section: str) -> list[Limit]:
    """The limits of the metrics that the stage ``section`` measures, in the order of their columns."""
    return [limit for limit in LIMITS if limit.section == section]


def verdict(metrics: Mapping[str, Any], section: str, params: Any) -> str:
    """Why the stage ``section`` rejects a clip; empty for metrics within the limits of its ``params``."""
    causes = [limit.cause(metrics[limit.metric], limit.value(params)) for limit in limits_of(section)]
    return SEPARATOR.join(filter(None, causes))


class TooManyLost(PipelineError):
    """More clips are rejected than allowed. ``rows`` are those that ``check_losses`` got."""

    def __init__(self, message: str, rows: list[Mapping[str, Any]]) -> None:
        super().__init__(message)
        self.rows = rows


def check_losses(rows: Iterable[Mapping[str, Any]], max_lost: float, section: str) -> None:
    """Stop a stage that rejects more than the share ``max_lost`` of its clips, or all clips of a split.

    The rows have ``id``, ``split``, ``status`` and ``reason``. Raises TooManyLost, with the common causes.
    """
    table = list(rows)
    lost = {row["id"]: row["reason"] for row in table if row["status"] != "ok"}
    why = common_causes(lost)
    if len(lost) > max_lost * len(table):
        fault = f"{len(lost)} of {len(table)} clips are rejected, more than {section}.max_lost = {max_lost} allows"
        raise TooManyLost(f"{fault}:{why}\nFix or remove those clips, or raise {section}.max_lost.", table)
    for split in SPLITS:
        if not any(row["split"] == split and row["status"] == "ok" for row in table):
            advice = "Add clips, or give the split a larger share in the corpus's section of params.yaml."
            raise TooManyLost(f"The split {split} has no good clip left.{why}\n{advice}", table)


def common_causes(lost: Mapping[str, str]) -> str:
    """The most frequent causes in ``lost``, the reasons by clip: a line each, with an example."""
    causes = [(cause, clip) for clip, reason in lost.items() for cause in reason.split(SEPARATOR)]
    examples = dict(reversed(causes))
    common = Counter(cause for cause, _ in causes).most_common(5)
    return "".join(f"\n  {count} x {cause} (such as {examples[cause]})" for cause, count in common)
