"""Whether VG-net's discriminator learns what it is there for."""

from dataclasses import replace

import pytest
import torch

from pipeline.config.training import VgNetParams
from pipeline.models.discriminator import Discriminator
from pipeline.models.losses import regression_loss, regression_weights
from pipeline.runtime.devices import to_floats
from pipeline.training.random_weights import init_discriminator, init_normal
from pipeline.training.vgnet import VgNetTask
from tests.training.synthetic import DrawnClips

PARAMS = VgNetParams(width=8, batch=2, frames=4, lr=2e-3, regression_weight=1.0)
TRAIN, VAL = DrawnClips(3), DrawnClips(2, seed=1)


def missed(task: VgNetTask) -> float:
    """The share of the landmarks' movement, on real windows of other clips, that the discriminator does not read."""
    batch = task._read(VAL, task.checked)
    reference_BL, landmarks_BTL = batch.landmarks_BTL[:, 0], batch.landmarks_BTL[:, 1:]
    with torch.no_grad():
        _, read_BTL = task.discriminator(to_floats(batch.pictures_BTHWC[:, 1:], task.device), reference_BL)
    weights = regression_weights()
    still = regression_loss(reference_BL[:, None].expand_as(landmarks_BTL), landmarks_BTL, weights)
    return (regression_loss(read_BTL, landmarks_BTL, weights) / still).item()


@pytest.mark.slow
@pytest.mark.parametrize(("rate", "learns"), [(2e-4, True), (1e-8, False)])
def test_learning_and_failing_discriminators_differ(rate: float, learns: bool) -> None:
    task = VgNetTask(TRAIN, VAL, replace(PARAMS, discriminator_lr=rate), 0)
    for step in range(160 if learns else 20):
        task.step(task.batch(step))
    assert (missed(task) < 0.5) == learns


def test_outputs_depend_on_pictures_from_the_start() -> None:
    """As layers come, what tells two pictures apart is lost on the way through the LSTM."""
    torch.manual_seed(0)
    frames_NTCHW = torch.rand(6, 4, 3, 128, 128) * 2 - 1
    landmarks_NL = torch.randn(6, 136)
    reached = []
    for spread in (False, True):
        network = Discriminator(width=8)
        if spread:
            init_discriminator(network, frames_NTCHW, landmarks_NL)
        else:
            init_normal(network)
        with torch.no_grad():
            seen_NTD = network.image(frames_NTCHW.flatten(0, 1)).unflatten(0, (6, 4))
            given_NTD = torch.cat([network.reference(landmarks_NL)[:, None].expand(-1, 4, -1), seen_NTD], dim=2)
            hidden_NTD, _ = network.lstm(given_NTD)
        reached.append(hidden_NTD.flatten(0, 1).std(dim=0).mean().item())
    assert reached[1] > 0.15
    assert reached[1] > 5 * reached[0]
