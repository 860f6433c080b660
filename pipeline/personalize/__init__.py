"""Fine-tunes a bundle to one person, and measures the result on held-out clips."""
