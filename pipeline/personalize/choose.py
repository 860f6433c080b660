"""Compares old and new networks, and decides which are kept."""

from collections.abc import Mapping
from functools import partial
from itertools import product
from typing import NamedTuple

from pipeline.bundles.bundle import Bundle
from pipeline.evaluation.baselines import AT_VG, BASELINES, VG_GT
from pipeline.evaluation.clips import StoredClips
from pipeline.evaluation.evaluate import measure_clip
from pipeline.inference.talking_head import TalkingHead
from pipeline.metrics import METRICS
from pipeline.personalize.finetune import make_head
from pipeline.personalize.mouths import MouthJudge
from pipeline.shards.clip_store import ClipStore

HeldOutRow = dict[str, str | float]
"""`clip`, `method`, and a value for each metric."""
UNCHANGED = {"atnet": False, "vgnet": False}


class Choice(NamedTuple):
    """Which networks are new, and their results on the validation clips."""

    new: Mapping[str, bool]  # by name, `atnet` and `vgnet`
    validation: Mapping[str, Mapping[str, Mapping[str, float]]]
    """LMD and opening ``before`` and ``after``: of `atnet` alone, of `vgnet` alone, and of `both` together, for the
    best combination. A network has no entry if its training found nothing better."""


def choose(judge: MouthJudge, old: Bundle, new: Bundle, steps: Mapping[str, int]) -> Choice:
    """Choose the combination of old and new networks with the best landmarks on the validation clips.

    A new network is a candidate only if its own result is better by more than noise: AT-net's landmarks, or VG-net's
    pictures for real landmarks. A combination must also be better as a whole. ``steps`` has the step of each network's
    best weights; 0 means the old weights.
    """
    old_head = mixed_head(old, new, UNCHANGED)
    validation: dict[str, dict[str, dict[str, float]]] = {}
    options = {"atnet": [False], "vgnet": [False]}
    for name, measure in (("atnet", judge.drawn), ("vgnet", partial(judge.painted, baseline=VG_GT))):
        if steps[name]:
            before, after = measure(old_head), measure(mixed_head(old, new, {**UNCHANGED, name: True}))
            validation[name] = {"before": before.summary(), "after": after.summary()}
            if after.better_than(before):
                options[name].append(True)
    combinations = [dict(zip(options, values, strict=True)) for values in product(*options.values()) if any(values)]
    if not combinations:
        return Choice(UNCHANGED, validation)
    before = judge.painted(old_head, AT_VG)
    results = [judge.painted(mixed_head(old, new, combination), AT_VG) for combination in combinations]
    better = [index for index, mouths in enumerate(results) if mouths.better_than(before)]
    best = min(better or range(len(results)), key=lambda index: results[index].lmd)
    validation["both"] = {"before": before.summary(), "after": results[best].summary()}
    return Choice(combinations[best] if better else UNCHANGED, validation)


def mixed_head(old: Bundle, new: Bundle, chosen: Mapping[str, bool]) -> TalkingHead:
    """Combine new and old networks; ``chosen`` says which are new, by name."""
    atnet, vgnet = (getattr(new if chosen[name] else old, name) for name in ("atnet", "vgnet"))
    return make_head(old, atnet, vgnet)


def measure_held_out(head: TalkingHead, store: ClipStore, methods: Mapping[str, str]) -> list[HeldOutRow]:
    """Measure baselines on the held-out clips with all metrics. NaN stands for a metric without a value.

    ``methods`` has the column `method` by baseline.
    """
    clips, rows = StoredClips(store), []
    for name in store.ids("test"):
        clip = clips.load(name)
        generated = {baseline: BASELINES[baseline].generate(head, clip) for baseline in methods}
        for result in measure_clip(clip, dict(generated), clips.samples(name)):
            values = {metric: result.row.get(metric, float("nan")) for metric in METRICS}
            rows.append({"clip": name, "method": methods[result.row["method"]], **values})
    return rows
