"""Training of both networks. Imports only torch, numpy, pyarrow and opencv, so that a bare GPU machine can train."""
