"""Options that several commands share."""

from typing import Annotated

import typer

ModelsOption = Annotated[
    str | None,
    typer.Option(
        "--models",
        metavar="BUNDLE",
        help="Bundle of models: a folder, such as models after `dvc repro`, or models:/NAME@ALIAS of MLflow. Default: "
        "the models that ship with the project.",
    ),
]
