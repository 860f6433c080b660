"""The project's two trainings: from its shards, into its folders.

The stages run them, and on a machine that has neither DVC nor MLflow `python -m pipeline.training` does.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.config.params import Params
from pipeline.faces.crop import CROP
from pipeline.landmarks.pca import LandmarkModel
from pipeline.runtime import paths
from pipeline.shards.clip_store import ClipStore
from pipeline.speech.features import SpeechFeatures
from pipeline.training.atnet import train_atnet
from pipeline.training.callbacks import Callback
from pipeline.training.data import StoreSource
from pipeline.training.vgnet import train_vgnet

Network = Literal["atnet", "vgnet"]
NETWORKS: tuple[Network, ...] = ("atnet", "vgnet")
FOLDERS = {"atnet": paths.ATNET, "vgnet": paths.VGNET}


def train(network: Network, params: Params, callbacks: Sequence[Callback]) -> None:
    """Train on the training split, validate on val; killed, it goes on where it was. Raises what they raise."""
    sources, folder = _sources(network), (FOLDERS[network], paths.resume_folder(f"train_{network}"))
    landmarks = LandmarkModel.load(paths.LANDMARKS_MODEL).digest
    if network == "atnet":
        belongs = {"landmarks": landmarks, "speech": asdict(SpeechFeatures(params.mfcc.window))}
        train_atnet(*sources, params.atnet, params.seed, *folder, callbacks, belongs)
    else:
        belongs = {"landmarks": landmarks, "crop": asdict(CROP)}
        train_vgnet(*sources, params.vgnet, params.seed, *folder, callbacks, belongs)


def input_example(network: Network, params: Params) -> dict[str, NDArray[np.float32]]:
    """A small input of what the trained network takes, by the names of its `forward`'s arguments."""
    _, val = _sources(network)
    if network == "atnet":
        return {
            "reference_BK": val.coefficients(0)[:1],
            "windows_BT1RC": val.windows(0)[None, : params.atnet.frames, None],
        }
    landmarks_TL = val.landmarks(0)
    return {
        "image_BCHW": val.pictures(0, [0]).transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1.0,
        "reference_landmarks_BL": landmarks_TL[:1],
        "landmarks_BTL": landmarks_TL[None, : params.vgnet.frames],
    }


def digest(network: Network) -> str:
    """The hash of what is trained on, as the trained network's `meta` holds it under `data`."""
    return "".join(source.digest for source in _sources(network))


def _sources(network: Network) -> tuple[StoreSource, StoreSource]:
    model = LandmarkModel.load(paths.LANDMARKS_MODEL)
    store, speech = ClipStore(paths.DATA), network == "atnet"
    return StoreSource(store, model, "train", speech=speech), StoreSource(store, model, "val", speech=speech)
