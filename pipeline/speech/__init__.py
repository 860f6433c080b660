"""Speech: features at 100 Hz, their windows for video frames, phonemes, and synthetic speech."""
