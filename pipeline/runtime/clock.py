"""Frame rate of video and sample rate of speech (paper, section 4.1)."""

FPS = 25
"""Video frames per second."""
RATE = 16000
"""Samples of speech per second."""
SAMPLES_PER_FRAME = RATE // FPS


def frames_of(samples: int) -> int:
    """The number of video frames that ``samples`` samples of speech last, rounded up."""
    return -(-samples // SAMPLES_PER_FRAME)
