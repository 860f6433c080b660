"""The command line. DVC runs the stages; these commands do the rest."""

from pipeline.cli.main import app

__all__ = ["app"]
