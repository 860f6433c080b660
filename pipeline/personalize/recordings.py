"""Checks whether each recording's sound fits its lips, and whether all recordings show one person.

The shipped AT-net predicts the lips from the sound. This separates the right sound from other sound far better than
loudness does, also for people outside its training.
"""

import logging
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from pipeline.faces.identity import group_by_person
from pipeline.faces.video_sync import FitLimits, Signals
from pipeline.inference.talking_head import TalkingHead
from pipeline.landmarks.points import MOUTH
from pipeline.prepare.quality.limits import LIMITS
from pipeline.prepare.quality.videos import FOREIGN, by_video, describe_clip, fit_clips
from pipeline.preprocessing.base import Reference
from pipeline.runtime.clock import FPS, SAMPLES_PER_FRAME
from pipeline.shards.clip_store import ClipStore
from pipeline.speech.sound import Sound

log = logging.getLogger(__name__)

EXPECTED = FitLimits(gain=1.0, correlation=0.42, no_gain=0.7, weak=0.35, fewest=5)
"""FitLimits for `ExpectedLips`. Real clips of GRID have 0.42 to 0.78, clips with other people's sound up to 0.41."""
_SMOOTH = 1.0  # frames


class ExpectedLips:
    """Compares the movement of a mouth with the movement that the shipped AT-net predicts from the sound."""

    def __init__(self) -> None:
        self._head = TalkingHead.from_pretrained()

    def __call__(self, points_T68x2: NDArray[np.float32], samples_N: NDArray[np.int16]) -> Signals:
        """Return the real and the predicted movement, for points in a crop of any size and mono samples at 16 kHz."""
        head, frames = self._head, len(points_T68x2)
        sound_N = np.zeros(frames * SAMPLES_PER_FRAME, np.int16)
        sound_N[: len(samples_N)] = samples_N[: len(sound_N)]
        reference = Reference(np.zeros((head.size, head.size, 3), np.uint8), np.median(points_T68x2, axis=0))
        predicted = list(head.landmarks(reference, head.preprocessing.windows(Sound([sound_N]))))
        real_TL = head.preprocessing.normalize(points_T68x2, reference.points_68x2)
        return [_movement(real_TL)], [_movement(np.concatenate(predicted)[:frames])]


def _movement(landmarks_TL: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the change (T, 40) of the mouth's coordinates from frame to frame."""
    mouth_TL = landmarks_TL.reshape(len(landmarks_TL), -1, 2)[:, MOUTH].reshape(len(landmarks_TL), -1)
    return np.asarray(np.gradient(gaussian_filter1d(mouth_TL.astype(np.float64), _SMOOTH, axis=0), axis=0))


def check_recordings(
    store: ClipStore, sync: Mapping[str, float], min_sync: float
) -> tuple[dict[str, str], dict[str, float]]:
    """Check the sound of whole recordings, and the identity of the person in them.

    Returns why clips are left out, by id, and the seconds by which the sound of files has to be delayed. Files with too
    few clips for a result are checked together. If a whole recording gives no result, its clips with a metric `sync`
    below `min_sync` are left out.
    """
    lost: dict[str, str] = {}
    delays: dict[str, float] = {}
    clips = store.ids("train") + store.ids("val") + store.ids("test")
    expected = ExpectedLips()
    limit = next(limit for limit in LIMITS if limit.metric == "sync")
    videos = by_video(store, clips)
    short = {path: ids for path, ids in videos.items() if len(ids) < EXPECTED.fewest}
    long = [{path: ids} for path, ids in videos.items() if path not in short]
    for files in [*long, short] if short else long:
        of_files = [clip for file in files.values() for clip in file]
        fit = fit_clips(store, of_files, expected, EXPECTED)
        name = next(iter(files)).partition("-")[2] if len(files) == 1 else f"{len(files)} short videos"
        if fit is not None and fit.foreign:
            log.warning("%s: %s. Its clips are left out.", name, FOREIGN)
            lost |= dict.fromkeys(of_files, FOREIGN)
        elif fit is None or not fit.matches:
            causes = {clip: limit.cause(sync[clip], min_sync) for clip in of_files}
            lost |= {clip: cause for clip, cause in causes.items() if cause}
        elif fit.shifted:
            log.warning("%s: the sound is %s over the whole video. It is moved.", name, fit.offset_text)
            delays |= dict.fromkeys(files, fit.offset / FPS)
    return lost | _other_people(store, [clip for clip in clips if clip not in lost]), delays


def _other_people(store: ClipStore, clips: Sequence[str]) -> dict[str, str]:
    """Return the clips that do not show the most frequent person."""
    if not clips:
        return {}
    first, *others = group_by_person(clips, np.array([describe_clip(store, clip) for clip in clips]))
    if others:
        log.warning(
            "The video shows %d people. The one in %d of %d clips, such as %s, is kept; %s shows another.",
            1 + len(others),
            len(first),
            len(clips),
            first[0],
            others[0][0],
        )
    return {clip: "another person than in most clips" for group in others for clip in group}
