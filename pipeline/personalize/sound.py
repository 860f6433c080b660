"""Which speech belongs to the lips of a person's videos: what the shipped AT-net expects of the sound, and the lips.

AT-net tells far better than loudness whether speech and lips belong together, also for people it was not trained on.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from pipeline.faces.video_sync import Limits, Signals
from pipeline.inference.preprocessing.base import Reference
from pipeline.inference.talking_head import TalkingHead
from pipeline.landmarks.points import MOUTH
from pipeline.runtime.clock import SAMPLES_PER_FRAME
from pipeline.speech.sound import Sound

EXPECTED = Limits(gain=1.0, correlation=0.42, no_gain=0.7, weak=0.35, fewest=5)
"""For `ExpectedLips`: real clips of GRID have 0.42 to 0.78, those with the sound of others up to 0.41."""
_SMOOTH = 1.0  # frames


class ExpectedLips:
    """How the mouth of a clip moves, and how the shipped AT-net expects it to move by the sound."""

    def __init__(self) -> None:
        self._head = TalkingHead.from_pretrained()

    def __call__(self, points_T68x2: NDArray[np.float32], samples_N: NDArray[np.int16]) -> Signals:
        """Of points in pixels of a crop, of any size, and their sound, mono at 16 kHz."""
        head, frames = self._head, len(points_T68x2)
        sound_N = np.zeros(frames * SAMPLES_PER_FRAME, np.int16)
        sound_N[: len(samples_N)] = samples_N[: len(sound_N)]
        reference = Reference(np.zeros((head.size, head.size, 3), np.uint8), np.median(points_T68x2, axis=0))
        expected = list(head.landmarks(reference, head.preprocessing.windows(Sound([sound_N]))))
        seen = head.preprocessing.normalize(points_T68x2, reference.points_68x2)
        return [_movement(seen)], [_movement(np.concatenate(expected)[:frames])]


def _movement(landmarks_TL: NDArray[np.float32]) -> NDArray[np.float64]:
    """The change (T, 40) of the mouth's coordinates from frame to frame."""
    mouth_TL = landmarks_TL.reshape(len(landmarks_TL), -1, 2)[:, MOUTH].reshape(len(landmarks_TL), -1)
    return np.asarray(np.gradient(gaussian_filter1d(mouth_TL.astype(np.float64), _SMOOTH, axis=0), axis=0))
