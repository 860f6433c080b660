"""Facial landmarks: the 68 points, similarity transforms, measures of shape, and the PCA that both networks use."""
