"""One thread: the networks of these tests are too small for two, and results do not hang on how busy the machine is."""

import torch

torch.set_num_threads(1)
