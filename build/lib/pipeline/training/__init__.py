"""Training: data sets, one loop, checkpoints, and what each network is trained with.

Imports torch, numpy, pyarrow and opencv alone, so that a bare GPU machine can train from the shards.
"""
