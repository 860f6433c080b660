"""What is seen and heard of one clip, which is all that metrics are computed from."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class VideoFeatures:
    """T crops of one video, RGB uint8 (T, size, size, 3), and what dlib finds in them."""

    frames_THWC: NDArray[np.uint8]
    points_T68x2: NDArray[np.float32]
    """In pixels of a face of 128x128, whatever ``size``; NaN where no face is found."""
    identity_Nx128: NDArray[np.float32]
    """Face descriptors of some frames, spread evenly; NaN where no face is found."""
    drawn_T68x2: NDArray[np.float32] | None = None
    """The points that the system drew before it painted, in the same pixels; None where it drew none."""
    coefficients_TK: NDArray[np.float32] | None = None
    """AT-net's coefficients, or those of the real landmarks; None where there are none."""
    shown_THW: NDArray[np.bool_] | None = None
    """Which pixels of the crops the video shows; None for all."""
    steady_T68x2: NDArray[np.float32] | None = None
    """The points in crops that follow this video's own face; None where `points_T68x2` are that."""

    @property
    def shapes_T68x2(self) -> NDArray[np.float32]:
        """The points by which the face's shape is judged, undisturbed by how another video's face moves."""
        return self.points_T68x2 if self.steady_T68x2 is None else self.steady_T68x2

    def first(self, frames: int) -> "VideoFeatures":
        """What is seen of its first frames; of all descriptors."""
        return replace(
            self,
            frames_THWC=self.frames_THWC[:frames],
            points_T68x2=self.points_T68x2[:frames],
            shown_THW=None if self.shown_THW is None else self.shown_THW[:frames],
            steady_T68x2=None if self.steady_T68x2 is None else self.steady_T68x2[:frames],
        )


@dataclass(frozen=True)
class AudioTrack:
    """The sound that belongs to T frames: mono at 16 kHz, 640 samples per frame."""

    samples_N: NDArray[np.int16]
    loudness_T: NDArray[np.float32]
    """The root of the mean square of each frame's samples, as parts of full scale."""
    phonemes_T: NDArray[np.int8] | None = None
    """The class of what is spoken (`pipeline.speech.phonemes`); None where the text is not known."""
