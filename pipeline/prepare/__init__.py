"""The stages before training: decode clips, find faces, fit the PCA, compute speech features, reject bad clips."""
