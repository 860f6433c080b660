"""The initial statistics of adaptive normalisation: a file beside the features in data/mfcc."""

import json
from dataclasses import asdict
from pathlib import Path

from pipeline.runtime.checkout import or_pull
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import replacing
from pipeline.runtime.paths import StrPath
from pipeline.speech.normalisation import InitialStatistics

INITIAL = "initial.json"


def write_initial(folder: StrPath, initial: InitialStatistics | None) -> None:
    """Write ``folder/initial.json``; None removes it."""
    path = Path(folder, INITIAL)
    if initial is None:
        path.unlink(missing_ok=True)
        return
    with replacing(path) as unfinished:
        unfinished.write_text(json.dumps(asdict(initial), indent=2) + "\n", encoding="utf-8")


def read_initial(folder: StrPath) -> InitialStatistics:
    """Read it back. Raises PipelineError if it is missing or damaged."""
    path = Path(folder, INITIAL)
    if not path.exists():
        raise PipelineError(f"{path} is missing. Run `dvc repro mfcc` to make it{or_pull()}.")
    try:
        return InitialStatistics.read(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError) as error:
        raise PipelineError(f"{path} is damaged ({error!r}). Run `dvc repro -f mfcc` to make it again.") from error
