"""The initial weights of a training that starts from a bundle (`atnet.init`, `vgnet.init`)."""

import hashlib
import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.bundles.network_files import read_model
from pipeline.runtime import paths
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath

PARAMS = {"components": "pca.components", "size": "landmarks.size"}  # arguments that other sections have
FREE = {"dropout"}  # arguments that may differ from the bundle's, because no weight depends on them
ADDED = {"mouth_detail"}  # modules that the bundle may lack, because they change nothing before they are trained


class Start(NamedTuple):
    """The weights of a network, and of networks that train along with it, in a bundle."""

    name: str  # `atnet` or `vgnet`
    folder: Path  # the network's folder in the bundle
    digests: Mapping[str, str]  # SHA-256 of the files of weights: `model`, and `discriminator` if the bundle has it

    def fill(self, network: Any, file: str = "model") -> bool:
        """Load the weights into `network`; False if the bundle has none, so that it starts from scratch.

        Raises PipelineError, naming both values, if the bundle's network has other arguments.
        """
        if file not in self.digests:
            return False
        card, weights = read_model(self.folder, file)
        if card["architecture"] != type(network).__name__:
            raise PipelineError(f"{self.folder} holds {card['architecture']} where {type(network).__name__} belongs.")
        saved = type(network)(**card["arguments"]).arguments  # with the defaults that the file leaves out
        defaults = {key: one.default for key, one in inspect.signature(type(network)).parameters.items()}
        for key in (saved | network.arguments).keys() - FREE:
            theirs, ours = (arguments.get(key, defaults[key]) for arguments in (saved, network.arguments))
            if theirs != ours and not (key in ADDED and ours):
                param = PARAMS.get(key, f"{self.name}.{key}")
                raise PipelineError(
                    f"{self.name}.init: {self.folder} has {key} {theirs}, and {param} is {ours}. Set {param} to "
                    f"{theirs}, or start from another bundle."
                )
        new = {key: tensor for key, tensor in network.state_dict().items() if key.split(".")[0] in ADDED}
        network.load_state_dict(new | weights)
        return True


def open_start(name: str, bundle: StrPath | None, compatibility: Mapping[str, Any]) -> Start | None:
    """The network `name` of a bundle, to start from; None without a `bundle`.

    `compatibility` has the landmark model, speech features and crops of the project's data, as in a network's file.
    Raises PipelineError if the bundle lacks the network, or its network was trained with others.
    """
    if bundle is None:
        return None
    folder = Path(bundle, name)
    meta = read_model(folder, "model")[0]["meta"]
    for part, wanted in json.loads(json.dumps(compatibility)).items():
        saved = meta.get(part) or {}
        if saved == wanted:
            continue
        if part == "landmarks":
            reason = f"was trained with another landmark model than {paths.LANDMARKS_MODEL}"
            advice = "Set pca.init to the same bundle, which takes its landmark model over."
        elif {**saved, "initial": wanted.get("initial")} == wanted:
            reason = f"was trained with other initial statistics of speech than those of {paths.MFCC}"
            advice = "Set mfcc.init to the same bundle, which takes its statistics over."
        else:
            differences = [
                f"{key} {saved.get(key)} and not {value}" for key, value in wanted.items() if saved.get(key) != value
            ]
            reason = f"was trained on other data than the project's ({part}: {'; '.join(differences)})"
            advice = "Set the params of that to the bundle's values, or start from another bundle."
        raise PipelineError(reason, subject=f"{name}.init: {folder}", advice=advice)
    files = sorted(folder.glob("*.safetensors"))
    return Start(name, folder, {path.stem: hashlib.sha256(path.read_bytes()).hexdigest() for path in files})
