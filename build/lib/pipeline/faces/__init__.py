"""Faces: where they are (detect), their points (predict), which one through a clip (track), how it is laid upright
(align), its picture (crop).
"""
