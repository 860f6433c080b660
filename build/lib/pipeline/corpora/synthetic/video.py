"""Writing a clip as GRID's files are: MPEG-1 video and MP2 sound in an MPEG program stream; always the same bytes."""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from pipeline.corpora.synthetic.speech import RATE
from pipeline.runtime.clock import FPS

_VIDEO_BITS = 1_400_000  # a second; GRID's files have about 1.1 million in all
_AUDIO_BITS = 256_000


def write_mpeg(path: Path, frames: Iterable[NDArray[np.uint8]], samples_N: NDArray[np.int16]) -> None:
    """Write RGB ``frames`` (H, W, 3) at 25 fps and mono ``samples_N`` at 44.1 kHz (stored as stereo)."""
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
            # Sound goes along frame by frame, so that the two streams lie interleaved in the file.
            first, last = index * RATE // FPS, (index + 1) * RATE // FPS
            stereo = np.repeat(samples_N[first:last], 2)[None]
            chunk = av.AudioFrame.from_ndarray(stereo, format="s16", layout="stereo")
            chunk.sample_rate, chunk.pts, chunk.time_base = RATE, first, Fraction(1, RATE)
            container.mux(sound.encode(chunk))
        container.mux(video.encode(None))
        container.mux(sound.encode(None))
