"""What a training starts from where it does not start from scratch: the networks of a bundle (`atnet.init`)."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from pipeline.models.files import read_model
from pipeline.runtime import paths
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath

PARAMS = {"components": "pca.components", "size": "landmarks.size"}
"""Arguments of networks whose param is not in the network's own section."""
FREE = {"dropout"}
"""Arguments that a training may change: no weight hangs on them."""


@dataclass(frozen=True)
class Start:
    """The weights of a network, and of what trains along with it, in a bundle."""

    name: str
    """`atnet` or `vgnet`."""
    folder: Path
    """The network's, in the bundle."""
    digests: Mapping[str, str]
    """SHA-256 of the files of weights that are there, `model` and maybe `discriminator`."""

    def fill(self, network: nn.Module, file: str = "model") -> bool:
        """Put the weights into `network`; False where the bundle has none for it, which then starts as from scratch.

        Raises PipelineError, naming both values, when they are those of a network that is made otherwise.
        """
        if file not in self.digests:
            return False
        card, weights = read_model(self.folder, file)
        if card["architecture"] != type(network).__name__:
            raise PipelineError(f"{self.folder} holds {card['architecture']} where {type(network).__name__} belongs.")
        arguments = network.arguments
        assert isinstance(arguments, dict)
        theirs = type(network)(**card["arguments"])  # with what its file leaves to the defaults
        assert isinstance(theirs.arguments, dict)
        for key, ours in arguments.items():
            if key not in FREE and (found := theirs.arguments.get(key)) != ours:
                param = PARAMS.get(key, f"{self.name}.{key}")
                raise PipelineError(
                    f"{self.name}.init: {self.folder} has {key} {found}, and {param} is {ours}. Set {param} to "
                    f"{found}, or start from another bundle."
                )
        network.load_state_dict(weights)
        return True


def open_start(name: str, bundle: StrPath | None, compatibility: Mapping[str, Any]) -> Start | None:
    """The network `name` of a bundle, to start from; None without a `bundle`.

    `compatibility` are the landmarks, speech and crops of the project's data, as a network's file names them. Raises
    PipelineError when the bundle lacks the network, or its network was trained on others.
    """
    if bundle is None:
        return None
    folder = Path(bundle, name)
    meta = read_model(folder, "model")[0]["meta"]
    if meta.get("landmarks") != compatibility["landmarks"]:
        raise PipelineError(
            f"{name}.init: {folder} was trained with another landmark model than {paths.LANDMARKS_MODEL}. Set pca.init "
            "to the same bundle, which takes its landmark model over."
        )
    for part, ours in json.loads(json.dumps(compatibility)).items():
        if (theirs := meta.get(part) or {}) != ours:
            if {**theirs, "initial": ours.get("initial")} == ours:
                raise PipelineError(
                    f"{name}.init: {folder} was trained with other initial statistics of speech than those of "
                    f"{paths.MFCC}. Set mfcc.init to the same bundle, which takes its statistics over."
                )
            other = [
                f"{key} {theirs.get(key)} and not {value}" for key, value in ours.items() if theirs.get(key) != value
            ]
            raise PipelineError(
                f"{name}.init: {folder} was trained on other data than the project's ({part}: {'; '.join(other)}). Set "
                "the params of that to the bundle's values, or start from another bundle."
            )
    weights = {
        path.stem: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("*.safetensors"))
    }
    return Start(name, folder, weights)
