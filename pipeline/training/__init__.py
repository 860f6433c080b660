"""Training of both networks: data sources, one loop, checkpoints, and a task per network.

Imports only torch, numpy, pyarrow and opencv, so that a bare GPU machine can train from the shards.
"""
