"""What every command of `atvgnet` does with its errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.runtime import paths
from pipeline.runtime.errors import PipelineError, clear_errors


@contextmanager
def command() -> Iterator[None]:
    """What every command does with its errors; in a subfolder of the project also say where that is."""
    with clear_errors("atvgnet"):
        try:
            yield
        except PipelineError as error:
            above = (one for one in Path.cwd().parents if (one / "dvc.yaml").exists() and (one / paths.PARAMS).exists())
            project = None if paths.PARAMS.exists() else next(above, None)
            if project is None or " is missing" not in str(error):
                raise
            raise PipelineError(f"{error} The project is in {project}: run the command there.") from error
