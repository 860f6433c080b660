"""One clip: sound, pictures and mouth script from the same phonemes, written as a file like GRID's."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av
import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.runtime.clock import FPS
from pipeline.synthetic.face import Face, MouthSize, Pose
from pipeline.synthetic.motion import head_track, mouth_track, smile_track
from pipeline.synthetic.sentences import Sentence
from pipeline.synthetic.speakers import Appearance
from pipeline.synthetic.speech import FRAMES, RATE, SoundTrack, alignment, speak
from pipeline.synthetic.subject import sample_subject

_CLOSED = 0.03  # share of the mouth's width: a smaller opening is invisible
_VIDEO_BITS = 1_400_000  # per second; GRID's files have about 1.1 million in all
_AUDIO_BITS = 256_000


@dataclass(frozen=True)
class ClipPlan:
    """The input of a clip. ``seed`` determines its leading silence, its head motion and its background noise."""

    appearance: Appearance
    sentence: Sentence
    seed: tuple[int, ...]


def render_clip(
    face: Face, track: SoundTrack, articulation: float, rng: np.random.Generator, path: Path, *, smile: bool = False
) -> tuple[MouthSize, ...]:
    """Write a video of ``face`` saying ``track``; return the size of the mouth in every frame.

    ``articulation`` scales the mouth's opening (1 is plain); ``rng`` draws the head motion. With ``smile`` the clip
    begins with the photograph's own mouth.
    """
    mouth = mouth_track(track.phonemes, articulation)
    motion = mouth | head_track(mouth["opening"], rng) | (smile_track() if smile else {})
    poses = [Pose(**{name: float(values_T[t]) for name, values_T in motion.items()}) for t in range(FRAMES)]
    frames, sizes = zip(*map(face.render, poses), strict=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_mpeg(path, frames, track.samples_N)
    return sizes


def make_clip(plan: ClipPlan, folder: Path) -> pd.DataFrame:
    """Write ``sN/NAME.mpg`` and ``alignments/sN/NAME.align`` below ``folder``; return the clip's rows of the script."""
    cv2.setNumThreads(0)
    who, name = plan.appearance, plan.sentence.name
    video, align = folder / who.speaker / f"{name}.mpg", folder / "alignments" / who.speaker / f"{name}.align"
    rng = np.random.default_rng(plan.seed)
    track = speak(plan.sentence, who.voice, rng)
    sizes = render_clip(_face(who), track, who.articulation, rng, video)
    align.parent.mkdir(parents=True, exist_ok=True)
    align.write_text(alignment(track.words), newline="\n")
    script = pd.DataFrame({"speaker": who.speaker, "name": name, "frame": np.arange(FRAMES, dtype=np.int32)})
    script["opening"] = np.array([size.opening for size in sizes], np.float32)
    script["width"] = np.array([size.width for size in sizes], np.float32)
    script["closed"] = script["opening"] < _CLOSED * script["width"]
    return script


@lru_cache(maxsize=2)
def _face(appearance: Appearance) -> Face:
    """The speaker's face, kept because a process makes a speaker's clips one after the other."""
    return Face(sample_subject(appearance))


def write_mpeg(path: Path, frames: Iterable[NDArray[np.uint8]], samples_N: NDArray[np.int16]) -> None:
    """Write MPEG-1 video and MP2 sound, as in GRID's files; equal input gives equal bytes.

    ``frames`` are RGB (288, 360, 3), 25 per second. ``samples_N`` are mono at 44.1 kHz; the file stores them as stereo.
    """
    with av.open(str(path), "w", format="mpeg", options={"fflags": "+bitexact"}) as container:
        video = container.add_stream("mpeg1video", rate=FPS)
        video.width, video.height, video.pix_fmt = 360, 288, "yuv420p"
        video.bit_rate = _VIDEO_BITS
        video.gop_size = 12
        video.options = {"bf": "0", "qmin": "2", "threads": "1", "flags": "+bitexact"}
        video.thread_count = 1
        sound = container.add_stream("mp2", rate=RATE, layout="stereo", options={"flags": "+bitexact"})
        sound.bit_rate = _AUDIO_BITS
        for index, frame_HWC in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(frame_HWC, format="rgb24")
            picture.pts, picture.time_base = index, Fraction(1, FPS)
            container.mux(video.encode(picture))
            # Sound is written after every frame, so that the two streams are interleaved.
            first, last = index * RATE // FPS, (index + 1) * RATE // FPS
            stereo = np.repeat(samples_N[first:last], 2)[None]
            chunk = av.AudioFrame.from_ndarray(stereo, format="s16", layout="stereo")
            chunk.sample_rate, chunk.pts, chunk.time_base = RATE, first, Fraction(1, RATE)
            container.mux(sound.encode(chunk))
        container.mux(video.encode(None))
        container.mux(sound.encode(None))
