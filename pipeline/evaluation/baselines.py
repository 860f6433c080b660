"""What is compared: two baselines and the whole system, each making a test clip's frames from its first one."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.inference.preprocessing import Example
from pipeline.inference.talking_head import TalkingHead, stretches

EXAMPLE_FRAME = 0
"""The frame every method is given; it is left out of the figures."""


@dataclass(frozen=True)
class TestClip:
    """A clip of the test split: crops uint8 (F, 128, 128, 3), their points (F, 68, 2), speech windows (F, 28, 12)."""

    id: str
    speaker: str
    frames_FHWC: NDArray[np.uint8]
    points_F68x2: NDArray[np.float32]
    windows_FRC: NDArray[np.float32]

    @property
    def example(self) -> Example:
        """The picture every method is given."""
        return Example(self.frames_FHWC[EXAMPLE_FRAME], self.points_F68x2[EXAMPLE_FRAME])


@dataclass(frozen=True)
class Made:
    """What a method made of a clip: frames (F, 128, 128, 3), and where it has them the points it drew and the
    attention.
    """

    frames_FHWC: NDArray[np.uint8]
    points_F68x2: NDArray[np.float32] | None = None
    attention_FHW: NDArray[np.float32] | None = None


Method = Callable[[TalkingHead, TestClip], Made]


def static(head: TalkingHead, clip: TestClip) -> Made:
    """The example frame repeated: what a figure is worth that any picture of the speaker reaches."""
    return Made(np.repeat(clip.frames_FHWC[EXAMPLE_FRAME][None], len(clip.frames_FHWC), axis=0))


def vg_gt(head: TalkingHead, clip: TestClip) -> Made:
    """VG-net on the real landmarks: what the pictures are worth without AT-net's errors."""
    return _painted(head, clip, head.preprocessing.normalize(clip.points_F68x2, clip.example.points_68x2))


def at_vg(head: TalkingHead, clip: TestClip) -> Made:
    """Both networks, from the example and the speech alone."""
    return _painted(head, clip, np.concatenate(list(head.landmarks(clip.example, stretches(clip.windows_FRC)))))


def _painted(head: TalkingHead, clip: TestClip, landmarks_FL: NDArray[np.float32]) -> Made:
    painted = list(head.paint(clip.example, stretches(landmarks_FL)))
    frames, attention = (np.concatenate(parts) for parts in zip(*painted, strict=True))
    return Made(frames, head.preprocessing.place(landmarks_FL, clip.example.points_68x2), attention)


METHODS: dict[str, Method] = {"static": static, "vg_gt": vg_gt, "at_vg": at_vg}
