"""Synthetic talking faces: a 2-D face renderer and a speech synthesiser.

They make the sample corpus, so that the whole pipeline runs without a download, and clips of the user's photographs.
"""
