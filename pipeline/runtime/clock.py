"""The rates of everything the networks see and hear (paper, section 4.1)."""

FPS = 25
"""Video frames per second."""
RATE = 16000
"""Samples per second of speech."""
SAMPLES_PER_FRAME = RATE // FPS


def frames_of(samples: int) -> int:
    """Video frames that so many samples last: to the frame begun."""
    return -(-samples // SAMPLES_PER_FRAME)
