"""Faces: detection (detect), points (shape_predictor), a face through a clip (track), alignment, crops, quality."""
