"""Error handling of every `atvgnet` command."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.runtime import paths
from pipeline.runtime.errors import PipelineError, clear_errors


@contextmanager
def command() -> Iterator[None]:
    """`clear_errors`, which in a subfolder of the project also names the project's folder."""
    with clear_errors("atvgnet"):
        try:
            yield
        except PipelineError as error:
            names = Path("dvc.yaml"), paths.PARAMS
            projects = (folder for folder in Path.cwd().parents if all((folder / name).exists() for name in names))
            project = None if paths.PARAMS.exists() else next(projects, None)
            if project is None or " is missing" not in str(error):
                raise
            raise PipelineError(f"{error} The project is in {project}: run the command there.") from error
