"""Reading and writing video, sound and pictures, by presentation time."""

from pipeline.media.errors import Damage, MediaError
from pipeline.media.probe import MediaInfo, probe, sound_warnings
from pipeline.media.read import read_audio, read_audio_blocks, read_frames, ticks
from pipeline.media.write import VideoWriter

__all__ = [
    "Damage",
    "MediaError",
    "MediaInfo",
    "VideoWriter",
    "probe",
    "read_audio",
    "read_audio_blocks",
    "read_frames",
    "sound_warnings",
    "ticks",
]
