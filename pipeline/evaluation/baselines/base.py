"""What a baseline is: a way to generate a test clip's frames, and its entry in the registry."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.spoken import Transcript
from pipeline.inference.preprocessing.base import Reference
from pipeline.inference.talking_head import TalkingHead, chunks

REFERENCE_FRAME = 0
"""The frame that every baseline is given unless the protocol says otherwise; it is left out of the metrics."""


@dataclass(frozen=True)
class TestClip:
    """A clip of the test split: crops uint8 (T, size, size, 3), their points (T, 68, 2), speech windows (T, 28, 12)."""

    id: str
    speaker: str
    frames_THWC: NDArray[np.uint8]
    points_T68x2: NDArray[np.float32]
    windows_TRC: NDArray[np.float32]
    other_TRC: NDArray[np.float32] | None = None
    """Windows (T, 28, 12) of what is said in another clip; None where there is none that says something else."""
    seen: bool | None = None
    """Whether the speaker was in training; None where nobody knows."""
    said: Transcript = field(default_factory=Transcript)
    given: Reference | None = None
    """The reference where it is none of these frames, or not the first."""

    @property
    def judged(self) -> slice:
        """Which frames count: all but the one that is the reference."""
        return slice(REFERENCE_FRAME + 1 if self.given is None else 0, None)

    @property
    def reference(self) -> Reference:
        """The picture that every baseline is given."""
        if self.given is not None:
            return self.given
        return Reference(self.frames_THWC[REFERENCE_FRAME], self.points_T68x2[REFERENCE_FRAME])


@dataclass(frozen=True)
class Generated:
    """Frames (T, size, size, 3), and where there are any the points that were drawn, the attention and the paint."""

    frames_THWC: NDArray[np.uint8]
    points_T68x2: NDArray[np.float32] | None = None
    attention_THW: NDArray[np.float32] | None = None
    colour_THWC: NDArray[np.uint8] | None = None
    coefficients_2TK: NDArray[np.float32] | None = None
    """Where AT-net predicted them, its coefficients, and those of the real landmarks."""


class NotGenerated(Exception):
    """Why a baseline has nothing to show for a clip."""


@dataclass(frozen=True)
class BaselineEntry:
    """What there is to know of a baseline; one each in the registry."""

    name: str
    """Its key in metrics.json and means.json, and the `method` of its rows in clips.csv."""
    title: str
    """What it is, as reports say it."""
    generate: Callable[[TalkingHead, TestClip], Generated]
    """As many frames as the clip has. Raises NotGenerated where the clip has not what it takes."""
    judges: Mapping[str, str] = field(default_factory=dict)
    """The registered models of which the best is the one with the lowest LMD here, each with the other network whose
    work that LMD shows too; empty where there is none.
    """


BASELINES: dict[str, BaselineEntry] = {}
"""All baselines by name; `pipeline.evaluation.registry` fills it."""


def register(entry: BaselineEntry) -> None:
    """Add a baseline."""
    BASELINES[entry.name] = entry


def spoken(head: TalkingHead, clip: TestClip, windows_TRC: NDArray[np.float32]) -> NDArray[np.float32]:
    """AT-net's normalised landmarks (T, 136) for windows of any speech."""
    return np.concatenate(list(head.landmarks(clip.reference, chunks(windows_TRC))))


def painted(head: TalkingHead, clip: TestClip, landmarks_TL: NDArray[np.float32], *, spoken: bool = False) -> Generated:
    """VG-net's frames on normalised landmarks (T, 136), which are AT-net's where they are `spoken`."""
    parts = list(head.paint(clip.reference, chunks(landmarks_TL), spoken=spoken))
    frames, attention, colour = (np.concatenate(one) for one in list(zip(*parts, strict=True))[:3])
    return Generated(frames, head.preprocessing.place(landmarks_TL, clip.reference.points_68x2), attention, colour)
