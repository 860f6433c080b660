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
from pipeline.corpora.synthetic.speech import FRAMES, SoundTrack, alignment, speak
from pipeline.corpora.synthetic.subject import subject_of
from pipeline.corpora.synthetic.video import write_mpeg
from pipeline.corpora.synthetic.visemes import mouth_track
from pipeline.speech.espeak import Voice

_CLOSED = 0.03  # of the mouth's width: less than this between the lips cannot be seen


@dataclass(frozen=True)
class ClipPlan:
    """What a clip is made from; ``seed`` covers its silence, its movements and the room's noise."""

    appearance: Appearance
    sentence: Sentence
    seed: tuple[int, ...]


def render_clip(
    face: Face, sentence: Sentence, voice: Voice, articulation: float, rng: np.random.Generator, path: Path
) -> tuple[SoundTrack, list[Measure]]:
    """Write the video of ``face`` saying ``sentence`` to ``path``; what is heard, and the mouth in every frame."""
    track = speak(sentence, voice, rng)
    mouth = mouth_track(track.phonemes, articulation)
    head = head_track(mouth.opening_T, rng)
    tracks = {key.removesuffix("_T"): values_T for key, values_T in (vars(mouth) | vars(head)).items()}
    poses = [Pose(**{key: float(values_T[t]) for key, values_T in tracks.items()}) for t in range(FRAMES)]
    measures: list[Measure] = []

    def frames() -> Iterator[NDArray[np.uint8]]:
        for pose in poses:
            frame, measure = face.render(pose)
            measures.append(measure)
            yield frame

    path.parent.mkdir(parents=True, exist_ok=True)
    write_mpeg(path, frames(), track.samples_N)
    return track, measures


def make_clip(plan: ClipPlan, folder: Path) -> pd.DataFrame:
    """Write ``sN/NAME.mpg`` and ``alignments/sN/NAME.align`` under ``folder``; return the clip's rows of the script."""
    cv2.setNumThreads(0)
    appearance, name = plan.appearance, plan.sentence.name
    speaker, rng = appearance.speaker, np.random.default_rng(plan.seed)
    video, align = folder / speaker / f"{name}.mpg", folder / "alignments" / speaker / f"{name}.align"
    face = _face(appearance)
    track, measures = render_clip(face, plan.sentence, appearance.voice, appearance.articulation, rng, video)
    align.parent.mkdir(parents=True, exist_ok=True)
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
    return Face(subject_of(appearance))
