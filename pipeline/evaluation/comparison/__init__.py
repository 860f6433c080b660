"""Two evaluations side by side: which clips are better by which metric, and whether that is more than chance."""
