"""The network classes that a file may name; one of your own is a file here and a line below (docs/extending.md)."""

from torch import nn

from pipeline.models.atnet import AtNet
from pipeline.models.discriminator import Discriminator
from pipeline.models.vgnet import VgNet

ARCHITECTURES: dict[str, type[nn.Module]] = {"AtNet": AtNet, "VgNet": VgNet, "Discriminator": Discriminator}
