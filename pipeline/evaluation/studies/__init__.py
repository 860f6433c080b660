"""Studies of how the models bear changed inputs, a curve each (docs/evaluation.md): definitions, and how they run."""
