"""The quality of clips: limits of their metrics, and the report with one row per clip.

The names of the report's files are here because other packages refer to them.
"""

TABLE = "quality.parquet"
"""The metrics and the verdict of every clip."""
PLOTTED = "clips.csv"
"""The same for DVC's plots, with at most 1000 clips."""
HISTOGRAMS = "histograms.png"
"""The distribution of every metric beside its limit."""
SHEET = "rejected.jpg"
"""Pictures of rejected clips."""
