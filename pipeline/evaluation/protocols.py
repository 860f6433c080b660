"""How a clip is generated and measured.

| name | reference | generated |
|---|---|---|
| `full` | the clip's first frame, which does not count | the whole clip at once |
| `paper` | the clip's first frame outside the window | windows of 16 frames, each by itself, as in training |
| `cross` | the first frame of another speaker's clip | the whole clip at once |

With another person's face no real picture shows the right result: `cross` has only the metrics that need none, and
those that hold across faces (`MetricEntry.across`).
"""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from pipeline.config.params import Protocol
from pipeline.evaluation.baselines.base import Generated, TestClip
from pipeline.evaluation.clips import StoredClips
from pipeline.preprocessing.base import Reference
from pipeline.runtime.errors import PipelineError

WINDOW = 16
"""Frames that the paper generates at once."""


def arrange(protocol: Protocol, clips: StoredClips, name: str) -> tuple[TestClip, list[TestClip]]:
    """A clip as it is measured, and its parts that are generated separately.

    Raises PipelineError for `cross` if no other speaker is known.
    """
    clip = clips.load(name)
    if protocol == "paper":
        return _windows(clip)
    if protocol == "cross":
        face = clips.other_face(name)
        if face is None:
            raise PipelineError(
                f"evaluate.protocol: cross takes another speaker's picture for {name}, and the test split has no clip "
                "of another speaker. Set it to full or paper, or add speakers."
            )
        clip = replace(clip, other_reference=face)
    return clip, [clip]


def _windows(clip: TestClip) -> tuple[TestClip, list[TestClip]]:
    count = len(clip.frames_THWC) // WINDOW
    parts = []
    for start in range(0, count * WINDOW, WINDOW):
        outside = 0 if start else WINDOW
        reference = Reference(clip.frames_THWC[outside], clip.points_T68x2[outside])
        parts.append(replace(_cut(clip, start, start + WINDOW), other_reference=reference))
    return replace(_cut(clip, 0, count * WINDOW), other_reference=clip.reference), parts


def _cut(clip: TestClip, start: int, end: int) -> TestClip:
    return replace(
        clip,
        frames_THWC=clip.frames_THWC[start:end],
        points_T68x2=clip.points_T68x2[start:end],
        windows_TRC=clip.windows_TRC[start:end],
        other_TRC=None if clip.other_TRC is None else clip.other_TRC[start:end],
        transcript=clip.transcript.cut(slice(start, end)),
    )


def join(parts: Sequence[Generated]) -> Generated:
    """Join the parts of one clip."""
    if len(parts) == 1:
        return parts[0]
    joined: dict[str, Any] = {}
    for field in fields(Generated):
        arrays = [getattr(part, field.name) for part in parts]
        axis = 1 if field.name.endswith("_2TK") else 0
        joined[field.name] = None if arrays[0] is None else np.concatenate(arrays, axis=axis)
    return Generated(**joined)
