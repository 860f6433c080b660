"""The folder of an evaluation, which a new one replaces whole: no picture of an earlier corpus stays in it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from pipeline.evaluation.tables import ABSENT, ALL_MEANS, CLIPS, DIFFERENCES, INFO, INTERVALS, MEANS
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import explained
from pipeline.runtime.paths import StrPath

PAGE = "index.html"
"""The report of an evaluation. No out of a stage: it says of which commit it is."""

MADE = (MEANS, ALL_MEANS, INTERVALS, CLIPS, ABSENT, DIFFERENCES, INFO, "metrics.png", "pictures", "videos", PAGE)
"""What an evaluation writes."""


@contextmanager
def replacing_evaluation(out: StrPath) -> Iterator[Path]:
    """A folder to evaluate into; when the block ends well, what it holds takes the place of the earlier evaluation.

    Else the earlier one stays as it is. So does what else lies in ``out``. Raises PipelineError, before anything is
    done, where there is something and no evaluation.
    """
    out = Path(out)
    for killed in out.glob(f".{'?' * 32}.tmp") if out.is_dir() else ():  # it could not remove what it had begun
        _remove(killed)
    known = {MEANS, ALL_MEANS, PAGE, ".gitignore"}  # DVC removes the stage's outs before it runs, and leaves the rest
    if out.exists() and not (out.is_dir() and ((names := set(os.listdir(out))) <= known or MEANS in names)):
        raise PipelineError(f"{out} is there, and what is in it is not an evaluation. Give another folder with --out.")
    unfinished = out / f".{uuid4().hex}.tmp"
    with explained(out):
        unfinished.mkdir(parents=True)
    try:
        yield unfinished
        for name in MADE:
            _remove(out / name)
            if (unfinished / name).exists():
                (unfinished / name).rename(out / name)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
        with suppress(OSError):
            out.rmdir()  # where it is empty


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
