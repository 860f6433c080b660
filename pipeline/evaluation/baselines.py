"""What is compared: two baselines and the whole system, each making a test clip's frames from its first one."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.inference.preprocessing.base import Reference
from pipeline.inference.talking_head import TalkingHead, chunks

REFERENCE_FRAME = 0
"""The frame every method is given; it is left out of the metrics."""


@dataclass(frozen=True)
class TestClip:
    """A clip of the test split: crops uint8 (T, 128, 128, 3), their points (T, 68, 2), speech windows (T, 28, 12)."""

    id: str
    speaker: str
    frames_THWC: NDArray[np.uint8]
    points_T68x2: NDArray[np.float32]
    windows_TRC: NDArray[np.float32]

    @property
    def reference(self) -> Reference:
        """The picture every method is given."""
        return Reference(self.frames_THWC[REFERENCE_FRAME], self.points_T68x2[REFERENCE_FRAME])


@dataclass(frozen=True)
class Generated:
    """What a method generated from a clip: frames (T, 128, 128, 3), and where it has them the points it drew and the
    attention.
    """

    frames_THWC: NDArray[np.uint8]
    points_T68x2: NDArray[np.float32] | None = None
    attention_THW: NDArray[np.float32] | None = None


Method = Callable[[TalkingHead, TestClip], Generated]


def static(head: TalkingHead, clip: TestClip) -> Generated:
    """The reference frame repeated: what a metric is worth that any picture of the speaker reaches."""
    return Generated(np.repeat(clip.frames_THWC[REFERENCE_FRAME][None], len(clip.frames_THWC), axis=0))


def vg_gt(head: TalkingHead, clip: TestClip) -> Generated:
    """VG-net on the real landmarks: what the pictures are worth without AT-net's errors."""
    return _painted(head, clip, head.preprocessing.normalize(clip.points_T68x2, clip.reference.points_68x2))


def at_vg(head: TalkingHead, clip: TestClip) -> Generated:
    """Both networks, from the reference and the speech alone."""
    return _painted(head, clip, np.concatenate(list(head.landmarks(clip.reference, chunks(clip.windows_TRC)))))


def _painted(head: TalkingHead, clip: TestClip, landmarks_TL: NDArray[np.float32]) -> Generated:
    painted = list(head.paint(clip.reference, chunks(landmarks_TL)))
    frames, attention = (np.concatenate(parts) for parts in zip(*painted, strict=True))
    return Generated(frames, head.preprocessing.place(landmarks_TL, clip.reference.points_68x2), attention)


METHODS: dict[str, Method] = {"static": static, "vg_gt": vg_gt, "at_vg": at_vg}
