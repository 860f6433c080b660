"""Views: what a video shows of the painted frames. The face alone, the whole picture, or panels."""
