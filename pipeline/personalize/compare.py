"""What models make of clips they have not seen, beside the real ones: a row per clip."""

from collections.abc import Sequence

from pipeline.evaluation.baselines import BASELINES
from pipeline.evaluation.clips import StoredClips
from pipeline.evaluation.evaluate import measure_clip
from pipeline.inference.talking_head import TalkingHead
from pipeline.metrics import METRICS
from pipeline.shards.clip_store import ClipStore

Row = dict[str, str | float]


def judge(head: TalkingHead, store: ClipStore, baselines: Sequence[str]) -> list[Row]:
    """The held-out clips by the baselines, with all metrics of the registry; NaN where a clip has no value."""
    clips, rows = StoredClips(store), []
    for name in store.ids("test"):
        clip = clips.load(name)
        generated = {baseline: BASELINES[baseline].generate(head, clip) for baseline in baselines}
        for row, *_ in measure_clip(clip, dict(generated), clips.samples(name)):
            found = {metric: row.get(metric, float("nan")) for metric in METRICS}
            rows.append({"clip": name, "method": row["method"], **found})
    return rows
