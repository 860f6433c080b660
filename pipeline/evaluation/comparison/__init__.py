"""Two evaluations compared: paired differences per clip, and whether they are more than chance."""
