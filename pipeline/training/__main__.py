"""Trains one of the project's networks from the shards, on a machine with torch, numpy, pyarrow and opencv alone:

    python -m pipeline.training vgnet
    torchrun --nproc-per-node=8 -m pipeline.training vgnet

docs/training.md tells what to copy there and back.
"""

import argparse
import logging
from pathlib import Path

from pipeline.config.file import load_params
from pipeline.runtime.errors import clear_errors
from pipeline.runtime.paths import bundle_folder
from pipeline.training import atnet, distribution, vgnet
from pipeline.training.callbacks import progress

TRAININGS = {"atnet": atnet.train_from_store, "vgnet": vgnet.train_from_store}


def main() -> None:
    """What the stage of the same network does, without DVC and MLflow."""
    parser = argparse.ArgumentParser(
        "python -m pipeline.training", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("network", choices=TRAININGS)
    parser.add_argument(
        "--params",
        type=Path,
        default=Path("params.json"),
        help="what `atvgnet params` prints where the whole environment is installed (default: %(default)s)",
    )
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with clear_errors(arguments.network), distribution.joined():
        params = load_params(arguments.params)
        TRAININGS[arguments.network](params, [progress()], bundle_folder(getattr(params, arguments.network).init))


if __name__ == "__main__":
    main()
