"""Which clips are good enough: limits of their metrics, one table of all clips, and what shows the rejected.

The files of a report are named here, since others point at them.
"""

TABLE = "quality.parquet"
"""Every clip with its metrics and verdict."""
PLOTTED = "clips.csv"
"""The same for DVC's plots; of a large corpus a part."""
HISTOGRAMS = "histograms.png"
"""The distribution of every metric beside its limit."""
SHEET = "rejected.jpg"
"""Rejected clips as pictures."""
