"""One person's own bundle from their videos, in so many minutes, never worse than before on the clips held out."""

import logging
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.config.params import Landmarks, Mfcc, Params, Pca
from pipeline.corpora.registry import find_corpus
from pipeline.models.bundle import Bundle, load_bundle, write_card
from pipeline.models.place import check_no_bundle
from pipeline.personalize.choose import UNCHANGED, choose, mixed_head
from pipeline.personalize.compare import Row, judge
from pipeline.personalize.finetune import FineTuning, Steps, read_meta
from pipeline.personalize.footage import prepare
from pipeline.personalize.mouths import OPENING_LOSS, MouthJudge
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import explained, replacing

log = logging.getLogger(__name__)

WORK = "work"
"""Below the folder of the bundle: what a call that was killed goes on from."""
MEASURED_AGAIN = 4
"""How many times as long the choice and the measurement afterwards take as the measurement before."""
TABLE = "held_out.csv"
STATIC, BEFORE, AFTER = "static", "at_vg, before", "at_vg, after"
OTHER_SPEECH = "at_vg, after, another clip's speech"
TRIED = "at_vg, tried and not kept"
_OF_ANOTHER_CARD = ("format", "parts", "commit")


@dataclass(frozen=True)
class Personalized:
    """The result: means over the held-out clips by method, the steps, and how many clips there were by split."""

    metrics: Mapping[str, Mapping[str, float]]
    steps: Steps
    clips: Mapping[str, int]
    kept: Mapping[str, int]
    """The step of the weights of each network; 0 for a network that stays as it was."""
    validation: Mapping[str, Mapping[str, Mapping[str, float]]]
    """As `Choice.validation`."""

    @property
    def better(self) -> bool:
        """Whether a network is new."""
        return any(self.kept.values())


def personalize(
    videos: Sequence[Path], models: Path, out: Path, minutes: float, jobs: int, steps: Steps | None = None
) -> Personalized:
    """Fine-tune the bundle `models` on the `videos` of one person, and write the bundle `out` with `held_out.csv`.

    A new network is kept only where the landmarks of the validation clips are clearly better with it, and the held-out
    clips are not worse. Else `out` has the old network, byte for byte.
    It takes about so many `minutes`, or `steps` of each training. Killed and called again it goes on, from what is in
    `out`/work, which is gone in the end. Raises PipelineError when a video is none or has too little that can be learnt
    from, when `models` is not a bundle that was trained here, and when `out` has one.
    """
    begun = time.monotonic()
    check_no_bundle(out)
    bundle = load_bundle(models)
    if bundle.landmarks is None or bundle.speech is None:
        raise PipelineError(f"{models} has networks that are published by others. Give a bundle that was trained here.")
    params = clip_params(bundle)
    work = out / WORK
    with explained(out):
        work.mkdir(parents=True, exist_ok=True)
    store = prepare(videos, params, work, jobs, bundle.speech.initial)
    mouths = MouthJudge(store, store.ids("val"))
    tuning = FineTuning(bundle, store, mouths, work, params.seed)
    judging = time.monotonic()
    before = judge(mixed_head(bundle, bundle, UNCHANGED), store, ("static", "at_vg"))
    judged = time.monotonic() - judging
    steps = steps or tuning.plan(60 * minutes - (time.monotonic() - begun) - MEASURED_AGAIN * judged)
    log.info("%d steps of AT-net, %d of VG-net", steps.atnet, steps.vgnet)
    best = tuning.run(steps)
    bundle.landmarks.save(work / "landmarks")
    new = load_bundle(work)
    choice = choose(mouths, bundle, new, best)
    after: list[Row] = []
    chosen = choice.new
    if choice.any_new:
        after = judge(mixed_head(bundle, new, chosen), store, ("at_vg", "mismatched"))
        if not _confirmed(before, after):
            after = [{**row, "method": TRIED} for row in after if row["method"] == "at_vg"]
            chosen = UNCHANGED
    metrics = _write_table(out / TABLE, before, after)
    clips = {split: len(store.ids(split)) for split in ("train", "val", "test")}
    found = Personalized(
        metrics, steps, clips, {name: best[name] if its else 0 for name, its in chosen.items()}, choice.validation
    )
    for name in ("landmarks", "atnet", "vgnet"):
        shutil.rmtree(out / name, ignore_errors=True)
        if chosen.get(name):
            (work / name).rename(out / name)
        else:
            shutil.copytree(models / name, out / name)
    write_card(out, _card(bundle, out, found, params.landmarks.face))
    shutil.rmtree(work)
    return found


def _confirmed(before: Sequence[Row], after: Sequence[Row]) -> bool:
    """Whether the held-out clips have a lower LMD than before, and mouths that open when they should as before."""

    def mean(rows: Sequence[Row], metric: str) -> float:
        return float(np.mean([np.nan_to_num(float(row[metric])) for row in rows if row["method"] == "at_vg"]))

    return mean(after, "lmd") < mean(before, "lmd") and mean(after, "opening") >= mean(before, "opening") - OPENING_LOSS


def clip_params(bundle: Bundle) -> Params:
    """How clips are prepared so that the bundle's networks know them."""
    assert bundle.landmarks is not None
    assert bundle.speech is not None
    assert bundle.crop is not None
    speech = bundle.speech
    return Params(
        landmarks=Landmarks(
            face=bundle.card.get("face", Landmarks().face), size=256 if bundle.crop.size == 256 else 128
        ),
        pca=Pca(components=bundle.landmarks.components),
        mfcc=Mfcc(kind=speech.kind, normalise=speech.normalise, window=speech.window),
    )


def _write_table(path: Path, before: Sequence[Row], after: Sequence[Row]) -> dict[str, dict[str, float]]:
    """Write a row per held-out clip and method; the means over clips by method."""
    table = pd.DataFrame([*before, *after])
    table["method"] = [
        *({"at_vg": BEFORE}.get(str(row["method"]), row["method"]) for row in before),
        *({"at_vg": AFTER, "mismatched": OTHER_SPEECH}.get(str(row["method"]), row["method"]) for row in after),
    ]
    with replacing(path) as unfinished:
        table.to_csv(unfinished, index=False, float_format="%.6f", lineterminator="\n")
    means = table.drop(columns="clip").groupby("method", sort=False).mean()
    return {
        str(method): {str(name): round(float(value), 6) for name, value in row.dropna().items()}
        for method, row in means.iterrows()
    }


def _card(bundle: Bundle, out: Path, found: Personalized, face: str) -> dict[str, Any]:
    base = {key: value for key, value in bundle.card.items() if key not in _OF_ANOTHER_CARD}
    result = {
        "new": [name for name, step in found.kept.items() if step],
        "validation": found.validation,
        "held_out": found.metrics,
        "clips": dict(found.clips),
        "steps": asdict(found.steps),
    }
    if not found.better:
        return {**base, "personalized": result}
    entry = find_corpus("folder")
    trained = {name: read_meta(out, name) for name in result["new"]}
    return {
        "name": "atvgnet-personal",
        "trained_on": {
            "corpus": "folder",
            "seed": next(iter(trained.values()))["seed"],
            "data": {name: meta["data"] for name, meta in trained.items()},
            "params": {name: meta["params"] for name, meta in trained.items()},
            "clips": dict(found.clips),
            "steps": asdict(found.steps),
        },
        "started_from": {
            "name": base.get("name", ""),
            "trained_on": base.get("trained_on", {}),
            "weights": {name: meta["init"] for name, meta in trained.items()},
        },
        "face": face,
        "metrics": found.metrics,
        "personalized": result,
        "licence": f"{entry.licence}; of the weights it started from: {base.get('licence', 'not known')}",
        "attribution": " ".join(filter(None, (entry.attribution, base.get("attribution", "")))),
    }
