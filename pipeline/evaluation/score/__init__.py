"""Scoring the videos of any system against real videos of the same names.

`pairs` matches files by name, `crops` cuts both faces alike, `steady` finds landmarks of heads that do not move, `clip`
measures one clip, `score` measures all clips, and `self_test` checks the metrics on real videos.
"""
