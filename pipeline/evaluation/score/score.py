"""`atvgnet score`: the videos of any systems beside the real ones, in tables."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd
from rich.progress import track

from pipeline.evaluation.folder import replacing_evaluation
from pipeline.evaluation.pictures import metrics_figure
from pipeline.evaluation.results import systems_first
from pipeline.evaluation.score.clip import GROUND_TRUTH, Scored, score_clip
from pipeline.evaluation.score.pairs import Pair, find_pairs
from pipeline.evaluation.tables import Absence, Part, Summary, program, tabulate, write_tables
from pipeline.faces.crop import SIZE
from pipeline.runtime import workers
from pipeline.runtime.clock import FPS
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import explained, lies_in, refuse_input, replacing


@dataclass(frozen=True)
class Score:
    """What came of it: clips.csv as a table, and the means with their intervals."""

    clips: pd.DataFrame
    summary: Summary


def name_systems(texts: list[str]) -> dict[str, Path]:
    """Folders by system, of arguments such as ``ours=videos/ours``, or ``videos/ours``, which is called ``ours``.

    Raises PipelineError for two of one name, and for the name that the real videos have.
    """
    systems: dict[str, Path] = {}
    for text in texts:
        name, equals, folder = text.partition("=")
        path = Path(folder) if equals and not Path(text).exists() else Path(text)
        name = name.strip() if equals and not Path(text).exists() else path.resolve().name
        if not name or name == GROUND_TRUTH or name in systems:
            why = "two systems have the name" if name in systems else "this is an invalid name of a system:"
            raise PipelineError(f"--fake {text}: {why} {name!r}. Give each another, as in --fake NAME=DIR.")
        systems[name] = path
    return systems


def score(
    real: Path | None,
    fakes: Mapping[str, Path],
    out: Path,
    jobs: int,
    *,
    reference: Path | None = None,
    size: int = SIZE,
    seed: int = 0,
) -> Score:
    """Measure the videos of the folders ``fakes``, by the name of their system, and write the tables to ``out``.

    ``real`` holds the real videos, which are called the same (`pipeline.evaluation.score.pairs`); without it only what
    needs none is measured. ``reference`` holds pictures of the clips' faces, else the first frame is taken for one.
    Killed and called again it goes on with what is in the hidden folder beside ``out``, which is gone in the end.

    Raises PipelineError when a folder has no videos or ``out`` something else, when ``out`` is or holds what is read,
    and when no clip could be measured.
    """
    inputs = [one for one in (real, reference, *fakes.values()) if one is not None]
    pairs = find_pairs(real, fakes, reference)
    refuse_input(out, *inputs)
    for folder in inputs:
        if lies_in(folder, out):
            raise PipelineError(f"The output {out} holds the input {folder}. Give the output another place.")
    work = out.absolute().parent / f".{out.name}.score"
    with replacing_evaluation(out) as unfinished:
        with explained(work):
            work.mkdir(exist_ok=True)
        scored = _scored(pairs, work, jobs, size)
        clips = tabulate(one.row for one in scored)
        failed = clips["reason"] != ""
        if failed.all():
            usual = clips["reason"].mode()[0]
            raise PipelineError(f"No clip could be scored. Of {len(clips)}, most often: {usual}.")
        absences = [Absence(one.row["method"], *absent) for one in scored for absent in one.absent.items()]
        info = _info(real, fakes, reference, size, seed) | {"clips": len(pairs), "failed": int(failed.sum())}
        parts = [
            Part(one.row["id"], one.row["speaker"], one.row["method"], *part)
            for one in scored
            for part in one.parts.items()
        ]
        pairs_of_systems = [(later, earlier) for earlier, later in combinations(systems_first(fakes), 2)]
        summary = write_tables(unfinished, clips, seed, absences, info, pairs_of_systems, parts)
        metrics_figure(summary).savefig(unfinished / "metrics.png", dpi=110, metadata={"Software": None})
    shutil.rmtree(work)
    return Score(clips, summary)


def _info(real: Path | None, fakes: Mapping[str, Path], reference: Path | None, size: int, seed: int) -> dict[str, Any]:
    return {
        "kind": "score",
        "protocol": "full",
        "seed": seed,
        "fps": FPS,
        "size": size,
        "methods": ({GROUND_TRUTH: "the real videos"} if real else {})
        | {name: str(one) for name, one in fakes.items()},
        "real": str(real) if real else None,
        "reference": str(reference) if reference else None,
        "fakes": {name: str(folder) for name, folder in fakes.items()},
        "made": program(),
    }


def _scored(pairs: list[Pair], work: Path, jobs: int, size: int) -> list[Scored]:
    """What is measured of every clip, in order; each is kept in ``work`` as soon as it is there."""
    kept = {pair.id: work / f"{_key(pair, size)}.json" for pair in pairs}
    found = {pair.id: known for pair in pairs if (known := _read(kept[pair.id])) is not None}
    missing = [_absolute(pair) for pair in pairs if pair.id not in found]
    tasks: Iterator[workers.Task] = ((_measure, (pair, kept[pair.id], size), {}) for pair in missing)
    with closing(workers.run(tasks, jobs, shared_paths=missing[0].files[:1] if missing else ())) as results:
        for clip, one in track(results, total=len(missing), description="score", transient=True):
            found[clip] = one
    return [one for pair in pairs for one in found[pair.id]]


def _measure(pair: Pair, path: Path, size: int) -> tuple[str, list[Scored]]:
    scored = score_clip(pair, size)
    with replacing(path) as unfinished:
        unfinished.write_text(json.dumps([one.as_json() for one in scored]), encoding="utf-8")
    return pair.id, scored


def _read(path: Path) -> list[Scored] | None:
    try:
        return [Scored(**one) for one in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):
        return None


def _key(pair: Pair, size: int) -> str:
    """All that a clip's metrics depend on: its files, as the file system describes them, and the code."""
    files = [(str(path.absolute()), path.stat().st_size, path.stat().st_mtime_ns) for path in pair.files]
    return hashlib.sha256(repr((workers.code_mark(), size, pair, files)).encode()).hexdigest()[:32]


def _absolute(pair: Pair) -> Pair:
    fakes = {name: one.absolute() if isinstance(one, Path) else one for name, one in pair.fakes.items()}
    real, reference = (one and one.absolute() for one in (pair.real, pair.reference))
    return Pair(pair.id, real, reference, fakes)
