"""Train one network from the shards, on a machine that has only torch, numpy, pyarrow and opencv:

    python -m pipeline.training vgnet
    torchrun --nproc-per-node=8 -m pipeline.training vgnet

docs/training.md says which files to copy there and back.
"""

import argparse
import logging
from pathlib import Path

from pipeline.bundles.location import find_bundle
from pipeline.config.file import load_params
from pipeline.runtime.errors import clear_errors
from pipeline.training import atnet, distribution, vgnet
from pipeline.training.callbacks import Progress

TRAININGS = {"atnet": atnet.train_from_store, "vgnet": vgnet.train_from_store}


def main() -> None:
    """Do what the network's stage does, without DVC and MLflow."""
    parser = argparse.ArgumentParser(
        "python -m pipeline.training", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("network", choices=TRAININGS)
    about = "output of `atvgnet params` from a machine with the whole environment (default: %(default)s)"
    parser.add_argument("--params", type=Path, default=Path("params.json"), help=about)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with clear_errors(arguments.network), distribution.joined():
        params = load_params(arguments.params)
        init = getattr(params, arguments.network).init
        TRAININGS[arguments.network](params, [Progress()], find_bundle(init, param="init") if init else None)


if __name__ == "__main__":
    main()
