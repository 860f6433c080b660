"""The project's clips as training data, and the folders of the trained networks."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.config.params import Params
from pipeline.corpora.union import weights_of
from pipeline.landmarks.pca import LandmarkModel
from pipeline.runtime import paths
from pipeline.shards.clip_store import ClipStore
from pipeline.training.data import StoreSource

Network = Literal["atnet", "vgnet"]
NETWORKS: tuple[Network, ...] = ("atnet", "vgnet")
FOLDERS = {"atnet": paths.ATNET, "vgnet": paths.VGNET}


def open_sources(network: Network, params: Params) -> tuple[StoreSource, StoreSource]:
    """The training and the validation split; PipelineError if one is empty or the landmark model is missing."""
    model = LandmarkModel.load(paths.LANDMARKS_MODEL)
    store, speech = ClipStore(paths.DATA), network == "atnet"
    train = StoreSource(store, model, "train", speech=speech, weights=weights_of(params))
    return train, StoreSource(store, model, "val", speech=speech)


def digest(network: Network, params: Params) -> str:
    """The hash of the training data, which the trained network's `meta` has as `data`."""
    return "".join(source.digest for source in open_sources(network, params))


def input_example(network: Network, params: Params) -> dict[str, NDArray[Any]]:
    """A small input of the trained network, by the names of its `forward`'s arguments."""
    _, val = open_sources(network, params)
    if network == "atnet":
        windows_BT1RC = val.windows(0)[None, : params.atnet.frames, None]
        return {"reference_BK": val.coefficients(0)[:1], "windows_BT1RC": windows_BT1RC}
    landmarks_TL = val.landmarks(0)
    return {
        "image_BCHW": val.pictures(0, [0]).transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1.0,
        "reference_landmarks_BL": landmarks_TL[:1],
        "landmarks_BTL": landmarks_TL[None, : params.vgnet.frames],
    }
