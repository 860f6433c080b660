"""One person's own bundle from their videos, in so many minutes, with what it is worth on seconds it has not seen."""

import logging
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.config.params import Landmarks, Mfcc, Params, Pca
from pipeline.corpora.registry import find_corpus
from pipeline.inference.talking_head import TalkingHead
from pipeline.models.bundle import Bundle, load_bundle, write_card
from pipeline.models.place import check_no_bundle
from pipeline.personalize.compare import Row, judge
from pipeline.personalize.finetune import FineTuning, Steps, read_meta
from pipeline.personalize.footage import prepare
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import explained, replacing

log = logging.getLogger(__name__)

WORK = "work"
"""Below the folder of the bundle: what a call that was killed goes on from."""
TABLE = "held_out.csv"
BEFORE, AFTER = "at_vg, before", "at_vg, after"


@dataclass(frozen=True)
class Personalized:
    """What came of it: means over the held-out clips by method, the steps, and how many clips there were by split."""

    metrics: Mapping[str, Mapping[str, float]]
    steps: Steps
    clips: Mapping[str, int]
    kept: Mapping[str, int]
    """The step whose weights each network has; 0 where the bundle's own validated best."""


def personalize(
    videos: Sequence[Path], models: Path, out: Path, minutes: float, jobs: int, steps: Steps | None = None
) -> Personalized:
    """Fine-tune the bundle `models` on the `videos` of one person, and write the bundle `out` with `held_out.csv`.

    It takes about so many `minutes`, or `steps` of each training. Killed and called again it goes on, from what is in
    `out`/work, which is gone in the end. Raises PipelineError when a video is none or has too little that can be learnt
    from, when `models` is not a bundle that was trained here, and when `out` has one.
    """
    begun = time.monotonic()
    check_no_bundle(out)
    bundle = load_bundle(models)
    if bundle.landmarks is None or bundle.speech is None:
        raise PipelineError(f"{models} has networks that are published by others. Give a bundle that was trained here.")
    params = _params(bundle)
    work = out / WORK
    with explained(out):
        work.mkdir(parents=True, exist_ok=True)
    store = prepare(videos, params, work, jobs)
    tuning = FineTuning(models, store, bundle.speech, work, params.seed)
    judging = time.monotonic()
    rows = judge(TalkingHead.from_pretrained(models), store, ("static", "at_vg"))
    judged = time.monotonic() - judging
    steps = steps or tuning.plan(60 * minutes - (time.monotonic() - begun) - judged)
    log.info("%d steps of AT-net, %d of VG-net", steps.atnet, steps.vgnet)
    kept = tuning.run(steps)
    bundle.landmarks.save(work / "landmarks")
    after = judge(TalkingHead.from_pretrained(work), store, ("at_vg",))
    metrics = _write_table(out / TABLE, rows, after)
    clips = {split: len(store.ids(split)) for split in ("train", "val", "test")}
    for name in ("landmarks", "atnet", "vgnet"):
        shutil.rmtree(out / name, ignore_errors=True)
        (work / name).rename(out / name)
    write_card(out, _card(bundle, out, metrics, steps, clips, params.landmarks.face))
    shutil.rmtree(work)
    return Personalized(metrics, steps, clips, kept)


def _params(bundle: Bundle) -> Params:
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
        *(AFTER for _ in after),
    ]
    with replacing(path) as unfinished:
        table.to_csv(unfinished, index=False, float_format="%.6f", lineterminator="\n")
    means = table.drop(columns="clip").groupby("method", sort=False).mean()
    return {
        str(method): {str(name): round(float(value), 6) for name, value in row.dropna().items()}
        for method, row in means.iterrows()
    }


def _card(
    bundle: Bundle, out: Path, metrics: Mapping[str, Any], steps: Steps, clips: Mapping[str, int], face: str
) -> dict[str, Any]:
    entry = find_corpus("folder")
    trained = {name: read_meta(out, name) for name in ("atnet", "vgnet")}
    base = bundle.card
    return {
        "name": "atvgnet-personal",
        "trained_on": {
            "corpus": "folder",
            "seed": trained["vgnet"]["seed"],
            "data": {name: meta["data"] for name, meta in trained.items()},
            "params": {name: meta["params"] for name, meta in trained.items()},
            "clips": dict(clips),
            "steps": asdict(steps),
        },
        "started_from": {
            "name": base.get("name", ""),
            "trained_on": base.get("trained_on", {}),
            "weights": {name: meta["init"] for name, meta in trained.items()},
        },
        "face": face,
        "metrics": metrics,
        "licence": f"{entry.licence}; of the weights it started from: {base.get('licence', 'not known')}",
        "attribution": " ".join(filter(None, (entry.attribution, base.get("attribution", "")))),
    }
