"""Makes a person's own bundle from their videos, which is never worse than before on held-out clips."""

import logging
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.bundles.bundle import Bundle, load_bundle, write_card
from pipeline.bundles.location import check_no_bundle
from pipeline.config.params import Landmarks, Mfcc, Params, Pca
from pipeline.corpora.registry import find_corpus
from pipeline.evaluation.baselines import AT_VG, MISMATCHED, STATIC
from pipeline.personalize.choose import UNCHANGED, HeldOutRow, choose, measure_held_out, mixed_head
from pipeline.personalize.finetune import FineTuning, StepCounts, read_meta
from pipeline.personalize.footage import prepare
from pipeline.personalize.mouths import OPENING_LOSS, MouthJudge
from pipeline.runtime.files import explained, replacing

log = logging.getLogger(__name__)

WORK = "work"
"""Subfolder of the bundle with everything that an interrupted call needs to continue."""
LATER_MEASUREMENTS = 4
"""Time of the choice and of the measurement after it, as a multiple of the measurement before the training."""
TABLE = "held_out.csv"
BEFORE, AFTER = "at_vg, before", "at_vg, after"
OTHER_SPEECH = "at_vg, after, another clip's speech"
TRIED = "at_vg, tried and not kept"
_OWN_CARD_KEYS = ("format", "parts", "commit")


@dataclass(frozen=True)
class Personalized:
    """The result of a personalization."""

    metrics: Mapping[str, Mapping[str, float]]
    """Means over the held-out clips, by method."""
    steps: StepCounts
    clips: Mapping[str, int]
    """Number of clips by split."""
    kept: Mapping[str, int]
    """The step of each network's weights; 0 for a network that stays as it was."""
    validation: Mapping[str, Mapping[str, Mapping[str, float]]]
    """As `Choice.validation`."""

    @property
    def better(self) -> bool:
        """Whether at least one network is new."""
        return any(self.kept.values())


def personalize(
    videos: Sequence[Path], models: Path, out: Path, minutes: float, jobs: int, steps: StepCounts | None = None
) -> Personalized:
    """Fine-tune a bundle to one person, and write the new bundle with `held_out.csv`.

    A new network is kept only if it makes the landmarks of the validation clips clearly better and those of the
    held-out clips not worse. Otherwise the new bundle has the old network, byte for byte. An interrupted call continues
    from `out`/work, which is deleted at the end.

    Args:
        videos: Videos of the person, and folders of such videos.
        models: The bundle to start from.
        out: The folder of the new bundle.
        minutes: About how long the whole call may take.
        jobs: Worker processes.
        steps: Training steps, in place of as many as fit into the time.

    Raises:
        PipelineError: A file is not a video, there are too few usable clips, `models` was not trained by this project,
            or `out` already has a bundle.
    """
    start = time.monotonic()
    check_no_bundle(out)
    bundle = load_bundle(models)
    params = clip_params(bundle)
    work = out / WORK
    with explained(out):
        work.mkdir(parents=True, exist_ok=True)
    store = prepare(videos, params, work, jobs, bundle.trained_here.speech.initial)
    mouths = MouthJudge(store, store.ids("val"))
    tuning = FineTuning(bundle, store, mouths, work, params.seed)
    measuring = time.monotonic()
    before = measure_held_out(mixed_head(bundle, bundle, UNCHANGED), store, (STATIC, AT_VG))
    measured = time.monotonic() - measuring
    steps = steps or tuning.plan(60 * minutes - (time.monotonic() - start) - LATER_MEASUREMENTS * measured)
    log.info("%d steps of AT-net, %d of VG-net", steps.atnet, steps.vgnet)
    best = tuning.run(steps)
    bundle.trained_here.landmarks.save(work / "landmarks")
    new = load_bundle(work)
    choice = choose(mouths, bundle, new, best)
    after: list[HeldOutRow] = []
    chosen = choice.new
    if choice.any_new:
        after = measure_held_out(mixed_head(bundle, new, chosen), store, (AT_VG, MISMATCHED))
        if not _confirmed(before, after):
            after = [{**row, "method": TRIED} for row in after if row["method"] == AT_VG]
            chosen = UNCHANGED
    result = Personalized(
        metrics=_write_table(out / TABLE, before, after),
        steps=steps,
        clips={split: len(store.ids(split)) for split in ("train", "val", "test")},
        kept={name: best[name] if is_new else 0 for name, is_new in chosen.items()},
        validation=choice.validation,
    )
    for name in ("landmarks", "atnet", "vgnet"):
        shutil.rmtree(out / name, ignore_errors=True)
        if chosen.get(name):
            (work / name).rename(out / name)
        else:
            shutil.copytree(models / name, out / name)
    write_card(out, _card(bundle, out, result, params.landmarks.face))
    shutil.rmtree(work)
    return result


def _confirmed(before: Sequence[HeldOutRow], after: Sequence[HeldOutRow]) -> bool:
    """Return whether LMD is lower on the held-out clips, and the mouth opening no worse."""

    def mean(rows: Sequence[HeldOutRow], metric: str) -> float:
        return float(np.mean([np.nan_to_num(float(row[metric])) for row in rows if row["method"] == AT_VG]))

    return mean(after, "lmd") < mean(before, "lmd") and mean(after, "opening") >= mean(before, "opening") - OPENING_LOSS


def clip_params(bundle: Bundle) -> Params:
    """Return the parameters that prepare clips as for the bundle's training."""
    landmarks, speech, crop = bundle.trained_here
    return Params(
        landmarks=Landmarks(face=bundle.card.get("face", Landmarks().face), size=256 if crop.size == 256 else 128),
        pca=Pca(components=landmarks.components),
        mfcc=Mfcc(kind=speech.kind, normalise=speech.normalise, window=speech.window),
    )


def _write_table(path: Path, before: Sequence[HeldOutRow], after: Sequence[HeldOutRow]) -> dict[str, dict[str, float]]:
    """Write a row per held-out clip and method, and return the means over clips by method."""
    table = pd.DataFrame([*before, *after])
    table["method"] = [
        *({AT_VG: BEFORE}.get(str(row["method"]), row["method"]) for row in before),
        *({AT_VG: AFTER, MISMATCHED: OTHER_SPEECH}.get(str(row["method"]), row["method"]) for row in after),
    ]
    with replacing(path) as unfinished:
        table.to_csv(unfinished, index=False, float_format="%.6f", lineterminator="\n")
    means = table.drop(columns="clip").groupby("method", sort=False).mean()
    return {
        str(method): {str(name): round(float(value), 6) for name, value in row.dropna().items()}
        for method, row in means.iterrows()
    }


def _card(bundle: Bundle, out: Path, result: Personalized, face: str) -> dict[str, Any]:
    base = {key: value for key, value in bundle.card.items() if key not in _OWN_CARD_KEYS}
    outcome = {
        "new": [name for name, step in result.kept.items() if step],
        "validation": result.validation,
        "held_out": result.metrics,
        "clips": dict(result.clips),
        "steps": asdict(result.steps),
    }
    if not result.better:
        return {**base, "personalized": outcome}
    entry = find_corpus("folder")
    trained = {name: read_meta(out, name) for name in outcome["new"]}
    return {
        "name": "atvgnet-personal",
        "trained_on": {
            "corpus": "folder",
            "seed": next(iter(trained.values()))["seed"],
            "data": {name: meta["data"] for name, meta in trained.items()},
            "params": {name: meta["params"] for name, meta in trained.items()},
            "clips": dict(result.clips),
            "steps": asdict(result.steps),
        },
        "started_from": {
            "name": base.get("name", ""),
            "trained_on": base.get("trained_on", {}),
            "weights": {name: meta["init"] for name, meta in trained.items()},
        },
        "face": face,
        "metrics": result.metrics,
        "personalized": outcome,
        "licence": f"{entry.licence}; of the weights it started from: {base.get('licence', 'not known')}",
        "attribution": " ".join(filter(None, (entry.attribution, base.get("attribution", "")))),
    }
