"""What the stages before training do: decode, find faces, fit the PCA, compute speech features, judge every clip."""
