"""Scoring the videos of any system against real videos of the same names.

`folders` finds the files, `pairs` matches them by name, `crops` cuts both faces alike, `steady` finds landmarks of
still heads, `clip` measures one clip, `score` measures all clips, and `self_test` checks the metrics on real videos.
"""
