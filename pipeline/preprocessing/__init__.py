"""Converts a photograph and a sound file to the networks' inputs, as their training did.

`published` is for the weights that the paper's authors published, the rest for this project's.
"""
