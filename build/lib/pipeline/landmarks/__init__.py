"""Landmarks: similarity transforms, the normalisation to a template, and the PCA that both networks speak."""
