"""The original release (Chen et al., CVPR 2019): import of its published weights, and their preprocessing."""
