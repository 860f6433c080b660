"""Makes a person's own bundle from their videos, which is never worse than before on held-out clips."""

import logging
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.bundles.bundle import Bundle, load_bundle, write_card
from pipeline.bundles.location import check_no_bundle
from pipeline.config.params import Landmarks, Mfcc, Params, Pca
from pipeline.config.training import AtNetParams
from pipeline.corpora.registry import find_corpus
from pipeline.evaluation.baselines import AT_VG, MISMATCHED, STATIC
from pipeline.personalize.choose import UNCHANGED, HeldOutRow, choose, measure_held_out, mixed_head
from pipeline.personalize.finetune import FineTuning, read_meta
from pipeline.personalize.footage import prepare
from pipeline.personalize.mouths import OPENING_LOSS, MouthJudge
from pipeline.runtime.files import explained, replacing

log = logging.getLogger(__name__)

WORK = "work"  # subfolder of the bundle with everything that an interrupted call needs to continue
LATER_MEASUREMENTS = 4
"""Time of the choice and of the measurement after it, as a multiple of the measurement before the training."""
TABLE = "held_out.csv"
BEFORE, AFTER = "at_vg, before", "at_vg, after"
OTHER_SPEECH = "at_vg, after, another clip's speech"
TRIED = "at_vg, tried and not kept"


@dataclass(frozen=True)
class Personalized:
    """The result of a personalization."""

    metrics: Mapping[str, Mapping[str, float]]  # means over the held-out clips, by method
    steps: Mapping[str, int]  # training steps, by network
    clips: Mapping[str, int]  # number of clips, by split
    kept: Mapping[str, int]  # the step of each network's weights; 0 for a network that stays as it was
    validation: Mapping[str, Mapping[str, Mapping[str, float]]]  # as `Choice.validation`

    @property
    def better(self) -> bool:
        """Whether at least one network is new."""
        return any(self.kept.values())


def personalize(
    videos: Sequence[Path], models: Path, out: Path, minutes: float, jobs: int, steps: Mapping[str, int] | None = None
) -> Personalized:
    """Fine-tune the bundle `models` to one person, and write the new bundle `out` with `held_out.csv`.

    `videos` are the person's, or folders of them. A new network is kept only if it makes the landmarks of the
    validation clips clearly better and those of the held-out clips not worse. Otherwise the new bundle has the old
    network, byte for byte. An interrupted call continues from `out`/work, which is deleted at the end.

    The whole call takes about `minutes`, or makes the given `steps` by network. Raises PipelineError if a file is not a
    video, there are too few usable clips, `models` was not trained by this project, or `out` already has a bundle.
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
    before = measure_held_out(mixed_head(bundle, bundle, UNCHANGED), store, {STATIC: STATIC, AT_VG: BEFORE})
    measured = time.monotonic() - measuring
    steps = steps or tuning.plan(60 * minutes - (time.monotonic() - start) - LATER_MEASUREMENTS * measured)
    log.info("%d steps of AT-net, %d of VG-net", steps["atnet"], steps["vgnet"])
    best = tuning.run(steps)
    bundle.trained_here.landmarks.save(work / "landmarks")
    new = load_bundle(work)
    chosen, validation = choose(mouths, bundle, new, best)
    after: list[HeldOutRow] = []
    if any(chosen.values()):
        after = measure_held_out(mixed_head(bundle, new, chosen), store, {AT_VG: AFTER, MISMATCHED: OTHER_SPEECH})
        if not confirmed([*before, *after]):
            after = [{**row, "method": TRIED} for row in after if row["method"] == AFTER]
            chosen = UNCHANGED
    result = Personalized(
        metrics=_write_table(out / TABLE, [*before, *after]),
        steps=steps,
        clips={split: len(store.ids(split)) for split in ("train", "val", "test")},
        kept={name: best[name] if is_new else 0 for name, is_new in chosen.items()},
        validation=validation,
    )
    for name in ("landmarks", "atnet", "vgnet"):
        shutil.rmtree(out / name, ignore_errors=True)
        shutil.copytree((work if chosen.get(name) else models) / name, out / name)
    write_card(out, _card(bundle, out, result, params.landmarks.face))
    shutil.rmtree(work)
    return result


def confirmed(rows: Sequence[HeldOutRow]) -> bool:
    """Return whether LMD is lower on the held-out clips, and the mouth opening no worse."""
    # A mouth that does not move has no correlation, which counts as 0. A clip without a face has no LMD.
    means = pd.DataFrame(rows).fillna({"opening": 0.0}).groupby("method")[["lmd", "opening"]].mean()
    (lmd_before, opening_before), (lmd_after, opening_after) = means.loc[[BEFORE, AFTER]].to_numpy()
    return bool(lmd_after < lmd_before and opening_after >= opening_before - OPENING_LOSS)


def clip_params(bundle: Bundle) -> Params:
    """Return the parameters that prepare clips as for the bundle's training."""
    landmarks, speech, crop = bundle.trained_here
    return Params(
        landmarks=Landmarks(face=bundle.card.get("face", Landmarks().face), size=256 if crop.size == 256 else 128),
        pca=Pca(components=landmarks.components),
        mfcc=Mfcc(kind=speech.kind, normalise=speech.normalise, window=speech.window),
        atnet=AtNetParams(encoder=bundle.atnet.encoder),
    )


def _write_table(path: Path, rows: Sequence[HeldOutRow]) -> dict[str, dict[str, float]]:
    """Write a row per held-out clip and method, and return the means over clips by method."""
    table = pd.DataFrame(rows)
    with replacing(path) as unfinished:
        table.to_csv(unfinished, index=False, float_format="%.6f", lineterminator="\n")
    means = table.drop(columns="clip").groupby("method", sort=False).mean()
    return {
        str(method): {str(name): round(float(value), 6) for name, value in row.dropna().items()}
        for method, row in means.iterrows()
    }


def _card(bundle: Bundle, out: Path, result: Personalized, face: str) -> dict[str, Any]:
    base = bundle.card
    new = [name for name, step in result.kept.items() if step]
    counts = {"clips": dict(result.clips), "steps": dict(result.steps)}
    outcome = {"new": new, "validation": result.validation, "held_out": result.metrics, **counts}
    if not result.better:
        return {**base, "personalized": outcome}
    entry = find_corpus("folder")
    trained = {name: read_meta(out, name) for name in new}
    return {
        "name": "atvgnet-personal",
        "trained_on": {
            "corpus": "folder",
            "seed": next(iter(trained.values()))["seed"],
            **{key: {name: meta[key] for name, meta in trained.items()} for key in ("data", "params")},
            **counts,
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
