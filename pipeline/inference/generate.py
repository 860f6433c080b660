"""A picture and speech to a talking-face video file."""

from pathlib import Path

from rich.progress import track

from pipeline.config.params import FaceRule
from pipeline.inference.inputs import opened_speech, read_reference
from pipeline.inference.talking_head import CHUNK, TalkingHead, frames_of
from pipeline.media import VideoWriter
from pipeline.runtime.clock import FPS
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import refuse_input
from pipeline.runtime.paths import StrPath


def generate(head: TalkingHead, picture: StrPath, speech: StrPath, out: StrPath, face: FaceRule | None = None) -> int:
    """Make the face in ``picture`` say ``speech`` (any sound or video file) and write the MP4 ``out``; returns its
    frames. ``face`` as in `TalkingHead.generate`.

    As large as `head.size` says, at 25 fps, the sound whole and the pictures as long as it, to the frame begun. Memory
    does not grow with the speech. Raises PipelineError when the picture holds no face, the file no sound, or ``out`` is
    one of the two or cannot be written.
    """
    picture, speech, out = Path(picture), Path(speech), Path(out)
    if out.suffix.lower() != ".mp4":
        raise PipelineError(f"{out} is not an .mp4 file. Give the output a name that ends in .mp4.")
    if out.is_dir():
        raise PipelineError(f"{out} is a folder. Give the output a name that is not taken.")
    refuse_input(out, picture, speech)
    reference = read_reference(picture, head.preprocessing, face or head.face)
    with opened_speech(speech, head.preprocessing) as samples_N:
        frames = frames_of(samples_N)
        painted, total = head.speak(reference, samples_N), -(-frames // CHUNK)
        with VideoWriter(out, size=(head.size, head.size), fps=FPS, audio=samples_N) as video:
            for chunk in track(painted, total=total, description="generate", transient=True):
                for frame in chunk.frames_THWC:
                    video.write(frame)
    return frames
