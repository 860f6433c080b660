"""Which clips are good enough: limits of their figures, one table of all clips, and what shows the rejected."""
