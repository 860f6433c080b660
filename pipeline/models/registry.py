"""The network classes that a file may name; one of your own is a file here and a line below (docs/extending.md)."""

from torch import nn

from pipeline.models.atnet import AtNet
from pipeline.models.discriminator import Discriminator, MouthDiscriminator
from pipeline.models.vgnet import VgNet

ARCHITECTURES: dict[str, type[nn.Module]] = {
    network.__name__: network for network in (AtNet, VgNet, Discriminator, MouthDiscriminator)
}
