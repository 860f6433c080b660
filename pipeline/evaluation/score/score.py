"""`atvgnet score`: measure the videos of any systems, and write the tables."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import asdict
from itertools import combinations
from pathlib import Path

import pandas as pd

from pipeline.evaluation.baselines.base import GROUND_TRUTH
from pipeline.evaluation.folder import replacing_evaluation
from pipeline.evaluation.pictures import metrics_figure
from pipeline.evaluation.results import systems_first
from pipeline.evaluation.score.clip import score_clip
from pipeline.evaluation.score.pairs import Pair, find_pairs
from pipeline.evaluation.tables import ClipResult, program, tabulate, write_tables
from pipeline.faces.crop import SIZE
from pipeline.runtime import workers
from pipeline.runtime.clock import FPS
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import explained, lies_in, refuse_input, replacing
from pipeline.runtime.progress import progress


def score(
    real: Path | None,
    fakes: Mapping[str, Path],
    out: Path,
    jobs: int,
    *,
    reference: Path | None = None,
    size: int = SIZE,
    seed: int = 0,
) -> pd.DataFrame:
    """Measure generated videos, write the tables of `pipeline.evaluation.tables`, and return the rows of clips.csv.

    If it is interrupted, the same call continues with the clips in the hidden folder beside ``out``.

    Without ``real`` only metrics that need no real video are computed. The videos of the systems in ``fakes`` have the
    names of the real ones. Identity is compared with the pictures of faces in the folder ``reference``, or else with
    the first frame of each real video. ``size`` is the side of the compared face crops in pixels.

    Raises PipelineError if a folder has no videos, if a system has the name of the real ones, if ``out`` contains
    something else or an input, or if no clip could be scored.

    Example:
        >>> score(Path("real"), {"ours": Path("videos/ours")}, Path("scored"), jobs=2)  # doctest: +SKIP
    """
    inputs = [folder for folder in (real, reference, *fakes.values()) if folder is not None]
    if GROUND_TRUTH in fakes:
        raise PipelineError(f"--fake: {GROUND_TRUTH} is the name of the real videos. Give another: --fake NAME=DIR.")
    pairs = find_pairs(real, fakes, reference)
    refuse_input(out, *inputs)
    for folder in inputs:
        if lies_in(folder, out):
            raise PipelineError(f"The output {out} holds the input {folder}. Give the output another place.")
    work = out.absolute().parent / f".{out.name}.score"
    with replacing_evaluation(out) as unfinished:
        with explained(work):
            work.mkdir(exist_ok=True)
        scored = _score_clips(pairs, work, jobs, size)
        clips = tabulate(clip.row for clip in scored)
        failed = clips["reason"] != ""
        if failed.all():
            usual = clips["reason"].mode()[0]
            raise PipelineError(f"No clip could be scored. Of {len(clips)}, most often: {usual}.")
        folders = {name: str(folder) for name, folder in fakes.items()}
        info = {
            "kind": "score",
            "protocol": "full",
            "seed": seed,
            "fps": FPS,
            "size": size,
            "methods": ({GROUND_TRUTH: "the real videos"} if real else {}) | folders,
            "real": str(real) if real else None,
            "reference": str(reference) if reference else None,
            "fakes": folders,
            "made": program(),
            "clips": len(pairs),
            "failed": int(failed.sum()),
        }
        compared = [(later, earlier) for earlier, later in combinations(systems_first(fakes), 2)]
        summary = write_tables(unfinished, clips, seed, scored, info, compared)
        metrics_figure(summary).savefig(unfinished / "metrics.png", dpi=110, metadata={"Software": None})
    shutil.rmtree(work)
    return clips


def _score_clips(pairs: list[Pair], work: Path, jobs: int, size: int) -> list[ClipResult]:
    """Score all clips, in order. Each is kept in ``work`` at once, and read from there after an interruption."""
    kept = {pair.id: work / f"{_key(pair, size)}.json" for pair in pairs}
    found = {pair.id: known for pair in pairs if (known := _read_kept(kept[pair.id])) is not None}
    missing = [pair for pair in pairs if pair.id not in found]
    tasks: Iterator[workers.Task] = ((_score_and_keep, (pair, kept[pair.id], size), {}) for pair in missing)
    kept_before = f", {len(found)} of them measured before the interruption" if found else ""
    print(f"score: {len(pairs)} clip{'s' * (len(pairs) != 1)}{kept_before}", flush=True)
    with (
        closing(workers.run(tasks, jobs, shared_paths=missing[0].files[:1] if missing else ())) as results,
        progress("score", len(pairs), done=len(found)) as advance,
    ):
        for clip, scored in results:
            found[clip] = scored
            advance(1, clip)
    return [clip for pair in pairs for clip in found[pair.id]]


def _score_and_keep(pair: Pair, path: Path, size: int) -> tuple[str, list[ClipResult]]:
    scored = score_clip(pair, size)
    with replacing(path) as unfinished:
        unfinished.write_text(json.dumps([asdict(clip) for clip in scored]), encoding="utf-8")
    return pair.id, scored


def _read_kept(path: Path) -> list[ClipResult] | None:
    try:
        return [ClipResult(**clip) for clip in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):
        return None


def _key(pair: Pair, size: int) -> str:
    """A hash of everything that a clip's metrics depend on: its files as the file system describes them, the code."""
    files = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in pair.files]
    return hashlib.sha256(repr((workers.code_mark(), size, pair, files)).encode()).hexdigest()[:32]
