"""What the frames of a video show of what VG-net paints: the face alone, the whole picture, or panels."""
