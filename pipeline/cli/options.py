"""Options that several commands share."""

from typing import Annotated

from typer import Option

ModelsOption = Annotated[
    str | None,
    Option(
        "--models",
        metavar="BUNDLE",
        help="Bundle of models: a folder, such as models after `dvc repro`, or models:/NAME@ALIAS of MLflow. Default: "
        "the models that ship with the project.",
    ),
]
