"""ATVGnet: speech -> facial landmarks -> talking-face video, as a reproducible data pipeline."""

import os

# Threads of torch's arithmetic that wait for each other spin by default, and hold up whatever else runs, themselves
# included (docs/training.md has measurements). It is read when torch is loaded, so it is set before.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
