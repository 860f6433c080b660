"""The speech embedding against the outputs of its ONNX file, and AT-net with it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pipeline.models.atnet import AtNet
from pipeline.models.speech_embedding import SpeechEmbedding
from pipeline.training.atnet import fill_embedding


@pytest.fixture(scope="module")
def known() -> dict[str, NDArray[np.float32]]:
    """A window (60, 32) of noise, and its features (384,) computed by ONNX Runtime from openwakeword 0.4.0's file."""
    with np.load(Path(__file__).parent / "speech_embedding.npz") as arrays:
        return dict(arrays)


def trained() -> AtNet:
    """An AT-net with the weights of the embedding and a state that training left."""
    network = AtNet(width=8, columns=32, encoder="embedding")
    fill_embedding(network)
    return network


def embedding_of(network: AtNet) -> SpeechEmbedding:
    (found,) = (module for module in network.modules() if isinstance(module, SpeechEmbedding))
    return found


@torch.inference_mode()
def test_features_equal_those_of_the_onnx_file(known: dict[str, NDArray[np.float32]]) -> None:
    """Up to the rounding of the weights to half precision."""
    features = embedding_of(trained())(torch.from_numpy(known["window"])[None, None, None])
    np.testing.assert_allclose(features[0, 0], known["features"], atol=0.05)
    assert known["features"].std() > 0.5


@torch.inference_mode()
def test_a_frame_has_the_same_features_in_any_chunk() -> None:
    rows = torch.randn(1, 4 * 9 + 60, 32) + 7
    windows = torch.stack([rows[:, 4 * frame : 4 * frame + 60] for frame in range(10)], dim=1)[:, :, None]
    embedding = embedding_of(trained())
    each = torch.cat([embedding(windows[:, frame : frame + 1]) for frame in range(10)], dim=1)
    torch.testing.assert_close(embedding(windows), each)


def test_training_leaves_the_embedding_as_it_is() -> None:
    network = trained().train()
    before = {name: tensor.clone() for name, tensor in embedding_of(network).state_dict().items()}
    optimiser = torch.optim.Adam(network.parameters(), 0.1)
    windows = torch.randn(2, 3, 1, 60, 32) + 7
    network(torch.randn(2, 6), windows).square().sum().backward()
    optimiser.step()
    for name, tensor in embedding_of(network).state_dict().items():
        assert torch.equal(tensor, before[name]), name


def test_each_prediction_learns_by_itself() -> None:
    """In training a sequence gets the LSTM's prediction or the linear one; afterwards the mean of both."""
    network = trained().eval()
    reference, windows = torch.randn(1, 6), torch.randn(1, 3, 1, 60, 32) + 7
    mean = network(reference, windows)
    network.training = True  # the choice alone: no dropout
    drawn = [network(reference, windows) for _ in range(30)]
    kinds = {tuple(one.flatten().tolist()) for one in drawn}
    assert len(kinds) == 2
    np.testing.assert_allclose(np.mean(list(kinds), axis=0), mean.detach().flatten(), atol=1e-6)
