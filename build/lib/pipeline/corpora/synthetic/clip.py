"""One clip: a speaker says a sentence; sound, pictures and script out of the same phonemes."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.corpora.synthetic.appearance import Appearance
from pipeline.corpora.synthetic.face import Face, Measure, Pose
from pipeline.corpora.synthetic.grammar import Sentence
from pipeline.corpora.synthetic.motion import head_track
from pipeline.corpora.synthetic.speech import FRAMES, alignment, speak
from pipeline.corpora.synthetic.video import write_mpeg
from pipeline.corpora.synthetic.visemes import mouth_track

_CLOSED = 0.03  # of the mouth's width: less than this between the lips cannot be seen


@dataclass(frozen=True)
class ClipPlan:
    """What a clip is made from; ``seed`` covers its silence, its movements and the room's noise."""

    appearance: Appearance
    sentence: Sentence
    seed: tuple[int, ...]


def make_clip(plan: ClipPlan, folder: Path) -> pd.DataFrame:
    """Write ``sN/NAME.mpg`` and ``alignments/sN/NAME.align`` under ``folder``; return the clip's rows of the script."""
    cv2.setNumThreads(0)
    speaker, name = plan.appearance.speaker, plan.sentence.name
    rng = np.random.default_rng(plan.seed)
    track = speak(plan.sentence, plan.appearance.voice, rng)
    mouth = mouth_track(track.phonemes, plan.appearance.articulation)
    head = head_track(mouth.opening_T, rng)
    tracks = {key.removesuffix("_T"): values_T for key, values_T in (vars(mouth) | vars(head)).items()}
    poses = [Pose(**{key: float(values_T[t]) for key, values_T in tracks.items()}) for t in range(FRAMES)]
    measures: list[Measure] = []

    def frames() -> Iterator[NDArray[np.uint8]]:
        face = _face(plan.appearance)
        for pose in poses:
            frame, measure = face.render(pose)
            measures.append(measure)
            yield frame

    video, align = folder / speaker / f"{name}.mpg", folder / "alignments" / speaker / f"{name}.align"
    for path in (video, align):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_mpeg(video, frames(), track.samples_N)
    align.write_text(alignment(track.words), newline="\n")
    script = pd.DataFrame(
        {
            "speaker": speaker,
            "name": name,
            "frame": np.arange(FRAMES, dtype=np.int32),
            "opening": np.array([one.opening for one in measures], np.float32),
            "width": np.array([one.width for one in measures], np.float32),
        }
    )
    script["closed"] = script["opening"] < _CLOSED * script["width"]
    return script


@lru_cache(maxsize=2)
def _face(appearance: Appearance) -> Face:
    """A process makes a speaker's clips one after the other and the face once."""
    return Face(appearance)
