"""The files of an evaluation: its folder, which a new evaluation replaces whole, and the names of files of clips."""

import hashlib
import os
import re
import shutil
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from pipeline.evaluation.tables import ABSENT, ALL_MEANS, CLIPS, DIFFERENCES, INFO, INTERVALS, MEANS
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import explained
from pipeline.runtime.paths import StrPath

PAGE = "index.html"
"""The report of an evaluation. It names its commit, so it is no out of a stage."""

FILES = (MEANS, ALL_MEANS, INTERVALS, CLIPS, ABSENT, DIFFERENCES, INFO, "metrics.png", "pictures", "videos", PAGE)
"""All that an evaluation writes."""

MAX_STEM = 100
"""Characters of a file's stem. File names may have 255 bytes, and DVC's plots put the folder into them."""


@contextmanager
def replacing_evaluation(out: StrPath) -> Iterator[Path]:
    """Yield a folder to evaluate into. If the block succeeds, its files replace the earlier evaluation in ``out``.

    If it fails, the earlier evaluation stays. Other files in ``out`` stay in any case. Raises PipelineError, before the
    block runs, if ``out`` holds something other than an evaluation.
    """
    out = Path(out)
    for leftover in out.glob(f".{'?' * 32}.tmp") if out.is_dir() else ():  # of a killed evaluation
        _remove(leftover)
    left_by_dvc = {MEANS, ALL_MEANS, PAGE, ".gitignore"}  # it removes the other outs before the stage runs
    if out.exists() and not (out.is_dir() and ((names := set(os.listdir(out))) <= left_by_dvc or MEANS in names)):
        raise PipelineError(f"{out} is there, and what is in it is not an evaluation. Give another folder with --out.")
    unfinished = out / f".{uuid4().hex}.tmp"
    with explained(out):
        unfinished.mkdir(parents=True)
    try:
        yield unfinished
        for name in FILES:
            _remove(out / name)
            if (unfinished / name).exists():
                (unfinished / name).rename(out / name)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
        with suppress(OSError):
            out.rmdir()  # if it is empty


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def file_stems(ids: Sequence[str]) -> dict[str, str]:
    """The stem of each clip's files: its id in ASCII letters, digits, dots and hyphens, with `_` for the rest.

    Such a name works in every file system, and in addresses of web pages and of MLflow's artifacts. Stems that several
    ``ids`` would share, ignoring case, end with a hash of the id.
    """
    stems = {}
    for clip in ids:
        kept = (letter for letter in unicodedata.normalize("NFKD", clip) if not unicodedata.combining(letter))
        stems[clip] = re.sub(r"[^A-Za-z0-9.-]", "_", "".join(kept))
    count = Counter(stem.casefold() for stem in stems.values())
    for clip, stem in stems.items():
        if count[stem.casefold()] > 1 or len(stem) > MAX_STEM or not stem:
            stems[clip] = f"{stem[:MAX_STEM]}-{hashlib.sha256(clip.encode()).hexdigest()[:8]}"
    return stems
