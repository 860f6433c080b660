"""Studies of what the models bear, one file each; run when asked for (docs/evaluation.md)."""
