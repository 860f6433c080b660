"""Scoring any system's videos: which belong together (pairs), how their faces are cut alike (crops), what is measured
of a clip (clip), and of all (score); the table in the terminal (show).
"""
