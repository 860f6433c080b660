"""Baselines: ways to generate the frames of a test clip, and the whole system itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.inference.painter import chunks
from pipeline.inference.talking_head import TalkingHead
from pipeline.metrics.transcript import Transcript
from pipeline.preprocessing.base import Reference
from pipeline.runtime.clock import SAMPLES_PER_FRAME
from pipeline.runtime.plugins import Registry
from pipeline.speech.sound import Sound

AT_VG, VG_GT, STATIC = "at_vg", "vg_gt", "static"
GROUND_TRUTH, MISMATCHED, SILENT = "ground_truth", "mismatched", "silent"
"""Names of the baselines below."""

REFERENCE_FRAME = 0
"""The frame that every baseline gets unless the protocol says otherwise. Metrics leave it out."""


@dataclass(frozen=True)
class TestClip:
    """A clip of the test split: crops uint8 (T, size, size, 3), their points (T, 68, 2), speech windows (T, 28, 12)."""

    id: str
    speaker: str
    frames_THWC: NDArray[np.uint8]
    points_T68x2: NDArray[np.float32]
    windows_TRC: NDArray[np.float32]
    other_TRC: NDArray[np.float32] | None = None
    """Windows (T, 28, 12) of another clip's speech; None if no other clip says something else."""
    seen: bool | None = None
    """Whether the speaker was in training; None if unknown."""
    transcript: Transcript = field(default_factory=Transcript)
    other_reference: Reference | None = None
    """The reference if it is not the first of these frames."""

    @property
    def measured(self) -> slice:
        """The frames that metrics measure: all but the reference."""
        return slice(REFERENCE_FRAME + 1 if self.other_reference is None else 0, None)

    @property
    def reference(self) -> Reference:
        """The picture that every baseline gets."""
        if self.other_reference is not None:
            return self.other_reference
        return Reference(self.frames_THWC[REFERENCE_FRAME], self.points_T68x2[REFERENCE_FRAME])


@dataclass(frozen=True)
class Generated:
    """Frames (T, size, size, 3) and, if the baseline has them, the points, attention and colour they come from."""

    frames_THWC: NDArray[np.uint8]
    points_T68x2: NDArray[np.float32] | None = None
    attention_THW: NDArray[np.float32] | None = None
    colour_THWC: NDArray[np.uint8] | None = None
    coefficients_2TK: NDArray[np.float32] | None = None
    """AT-net's coefficients and those of the real landmarks, if AT-net predicted them."""


class NotGenerated(Exception):
    """Why a baseline has no frames for a clip."""


@dataclass(frozen=True)
class BaselineEntry:
    """A row of the table of baselines."""

    name: str
    """Key in metrics.json and means.json, and `method` of its rows in clips.csv."""
    title: str
    """Its description in reports."""
    generate: Callable[[TalkingHead, TestClip], Generated]
    """Generate as many frames as the clip has. Raises NotGenerated if the clip lacks something."""
    decides: Mapping[str, str] = field(default_factory=dict)
    """The registered models whose best version has the lowest LMD here. Each maps to the other network that this LMD
    depends on, or to an empty string."""


BASELINES: Registry[BaselineEntry] = Registry()
"""All baselines by name. Import it from `pipeline.evaluation.baselines`, which fills it."""
register = BASELINES.add


def speech_landmarks(head: TalkingHead, clip: TestClip, windows_TRC: NDArray[np.float32]) -> NDArray[np.float32]:
    """AT-net's normalised landmarks (T, 136) for windows of any speech."""
    return np.concatenate(list(head.landmarks(clip.reference, chunks(windows_TRC))))


def paint_landmarks(
    head: TalkingHead, clip: TestClip, landmarks_TL: NDArray[np.float32], *, spoken: bool = False
) -> Generated:
    """VG-net's frames for normalised landmarks (T, 136); `spoken` tells that they are AT-net's."""
    parts = list(head.paint(clip.reference, chunks(landmarks_TL), spoken=spoken))
    frames, attention, colour = (np.concatenate(arrays) for arrays in list(zip(*parts, strict=True))[:3])
    return Generated(frames, head.preprocessing.place(landmarks_TL, clip.reference.points_68x2), attention, colour)


def ground_truth(head: TalkingHead, clip: TestClip) -> Generated:
    """The clip's own frames: the metrics of a perfect copy and of real speech."""
    return Generated(clip.frames_THWC)


def static(head: TalkingHead, clip: TestClip) -> Generated:
    """The reference in every frame: the metrics of any picture of the speaker."""
    return Generated(np.repeat(clip.reference.image_HWC[None], len(clip.frames_THWC), axis=0))


def mismatched(head: TalkingHead, clip: TestClip) -> Generated:
    """Both networks on another clip's speech: the metrics of a system that ignores what is said."""
    if clip.other_TRC is None:
        raise NotGenerated("no other clip says something else")
    return paint_landmarks(head, clip, speech_landmarks(head, clip, clip.other_TRC), spoken=True)


def silent(head: TalkingHead, clip: TestClip) -> Generated:
    """Both networks on digital silence: movement here does not come from the sound."""
    frames = len(clip.frames_THWC)
    silence = np.zeros(frames * SAMPLES_PER_FRAME, np.int16)
    windows_TRC = np.concatenate(list(head.preprocessing.windows(Sound([silence]), frames)))
    return paint_landmarks(head, clip, speech_landmarks(head, clip, windows_TRC), spoken=True)


def vg_gt(head: TalkingHead, clip: TestClip) -> Generated:
    """VG-net on the clip's own landmarks: the quality of the pictures without AT-net's errors."""
    return paint_landmarks(head, clip, head.preprocessing.normalize(clip.points_T68x2, clip.reference.points_68x2))


def at_vg(head: TalkingHead, clip: TestClip) -> Generated:
    """Both networks, from the reference and the speech alone: the system itself."""
    landmarks_TL = speech_landmarks(head, clip, clip.windows_TRC)
    real_TL = head.preprocessing.normalize(clip.points_T68x2, clip.reference.points_68x2)
    coefficients = np.stack([head.preprocessing.project(landmarks) for landmarks in (landmarks_TL, real_TL)])
    return replace(paint_landmarks(head, clip, landmarks_TL, spoken=True), coefficients_2TK=coefficients)


BASELINES.add(
    BaselineEntry(GROUND_TRUTH, "the real frames", ground_truth),
    BaselineEntry(STATIC, "the first frame repeated", static),
    BaselineEntry(MISMATCHED, "both networks, from another clip's sound", mismatched),
    BaselineEntry(SILENT, "both networks, from silence", silent),
    BaselineEntry(VG_GT, "VG-net on real landmarks", vg_gt, decides={"atvgnet-vgnet": ""}),
    BaselineEntry(AT_VG, "both networks, from speech alone", at_vg, decides={"atvgnet": "", "atvgnet-atnet": "vgnet"}),
)
