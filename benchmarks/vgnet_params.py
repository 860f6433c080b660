"""The effect of VG-net's parameters on a speaker of the training split and on other speakers.

Each of `--changes` sets parameters of `vgnet`; `plain` sets none. All train in one thread on the data of `dvc repro`,
for the same number of `--steps`, or for the same `--seconds` of processor time (the number of steps is measured first).
With `--base`, all continue from this number of steps of `plain`. Within a change, `>` separates phases that share the
time and continue from each other. Measures `vg_gt` on test clips of `--speaker` and on all clips of `--others`: means
with 95% bootstrap intervals over clips, and the mean difference in LMD from `plain`, clip by clip. Results that are in
`--out` are kept. Two examples, for augmentation with one speaker, and for the use of training time:

    python benchmarks/vgnet_params.py --speaker s1 --alone --base 1600 --steps 800 \
      --changes augment.flip=0.5 augment.flip=0.5,augment.colour=0.5
    python benchmarks/vgnet_params.py --speaker s1 --seconds 240 --changes width=8 frames=4,batch=4 "ema=0>ema=0.999"
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pandas as pd
import torch
import yaml

from pipeline.bundles.networks import load_model
from pipeline.config.file import build, load_params
from pipeline.config.training import VgNetParams
from pipeline.evaluation.baselines.base import static, vg_gt
from pipeline.evaluation.bootstrap import interval
from pipeline.evaluation.clips import StoredClips
from pipeline.faces.crop import CROP
from pipeline.inference.talking_head import TalkingHead
from pipeline.landmarks.pca import LandmarkModel
from pipeline.metrics.compute import compute_metrics
from pipeline.metrics.observe import observe
from pipeline.runtime import paths
from pipeline.shards.clip_store import ClipStore
from pipeline.training.data import StoreSource
from pipeline.training.loop import train
from pipeline.training.sources import open_sources
from pipeline.training.vgnet import VgNetTask

PLAIN = "plain"
METRICS = ("psnr", "ssim", "lmd")
TRIAL = 50
"""Timed steps, after the same number of steps to warm up."""

Make = Callable[[VgNetParams], VgNetTask]


class OneSpeaker(ClipStore):
    """The clips of one speaker."""

    def __init__(self, speaker: str) -> None:
        super().__init__(paths.DATA)
        self._speaker = speaker

    def ids(self, split: str) -> list[str]:
        return [clip for clip in super().ids(split) if self.speaker(clip) == self._speaker]


def tasks(speaker: str | None, seed: int) -> Make:
    """Makes training tasks on the whole corpus, or on ``speaker`` alone."""
    model = LandmarkModel.load(paths.LANDMARKS_MODEL)
    if speaker is None:
        sources = open_sources("vgnet", load_params(paths.PARAMS))
    else:
        store = OneSpeaker(speaker)
        sources = (
            StoreSource(store, model, "train", speech=False),
            StoreSource(store, model, "val", speech=False),
        )
    return lambda params: VgNetTask(*sources, params, seed, {"landmarks": model.digest, "crop": asdict(CROP)})


def changed(plain: VgNetParams, change: str) -> VgNetParams:
    """``plain`` with a change such as ``width=8,augment.flip=0.5``, checked as in params.yaml."""
    tree = asdict(plain)
    for pair in change.split(",") if change != PLAIN else []:
        key, value = pair.split("=")
        *section, name = key.split(".")
        (tree[section[0]] if section else tree)[name] = yaml.safe_load(value)
    return build(VgNetParams, tree, "vgnet")


def steps_in(make: Make, params: VgNetParams, seconds: float, scratch: Path) -> int:
    """The number of steps that take ``seconds`` of processor time."""
    spent = []
    for trial in (TRIAL, 2 * TRIAL):  # the difference leaves out the start
        start = time.process_time()
        train(make(replace(params, steps=trial, validate_every=trial)), scratch / str(trial), scratch / "resume")
        spent.append(time.process_time() - start)
    return max(2, round(seconds * TRIAL / (spent[1] - spent[0])))


def trained(make: Make, plain: VgNetParams, change: str, options: argparse.Namespace, base: Path | None) -> Path:
    """The folder of a bundle with the project's AT-net and landmark model, and a VG-net trained with ``change``."""
    phases = change.split(">")
    for number, phase in enumerate(phases):
        out = options.out / f"{change.replace('>', '_')}-{number}"
        params = changed(plain, phase)
        steps = options.steps // len(phases)
        if options.seconds:
            steps = steps_in(make, params, options.seconds / len(phases), out / "trial")
        if not (out / "vgnet" / "model.json").exists():
            task = make(replace(params, steps=steps, validate_every=steps, keep="last"))
            if base is not None:
                task.network.load_state_dict(load_model(base / "vgnet", "model")[0].state_dict())
            start = time.process_time()
            train(task, out / "vgnet", out / "resume")
            print(f"{phase}: {steps} steps in {time.process_time() - start:.0f} s of processor time", flush=True)
        base = out
    assert base is not None
    for part in (paths.ATNET, paths.LANDMARKS_MODEL):
        (base / part.name).unlink(missing_ok=True)
        (base / part.name).symlink_to(part.resolve())
    return base


def measured(head: TalkingHead, clips: dict[str, list[str]], change: str, every: int) -> pd.DataFrame:
    """A row per clip and method, measured on every ``every``-th frame."""
    stored = StoredClips(ClipStore(paths.DATA))
    rows: list[dict[str, object]] = []
    for group, ids in clips.items():
        for clip in map(stored.load, ids):
            clip = replace(clip, frames_THWC=clip.frames_THWC[::every], points_T68x2=clip.points_T68x2[::every])
            real = observe(clip.frames_THWC[1:])
            methods = {change: vg_gt} if change != PLAIN else {"static": static, PLAIN: vg_gt}
            for name, method in methods.items():
                fake_THWC = method(head, clip).frames_THWC
                metrics = compute_metrics(real, observe(fake_THWC[1:])).values
                rows.append({"change": name, "group": group, "id": clip.id, **metrics})
    return pd.DataFrame(rows)


def table(rows: pd.DataFrame) -> str:
    lines = ["| clips | change | PSNR, dB | SSIM | LMD, px | difference in LMD |", "|---|---|---|---|---|---|"]
    for group, of_group in rows.groupby("group", sort=False):
        plain = of_group[of_group.change == PLAIN].set_index("id")["lmd"]
        for change, of_change in of_group.groupby("change", sort=False):
            values = [of_change[name] for name in METRICS] + [of_change.set_index("id")["lmd"] - plain]
            cells = ["{:.3f} [{:.3f}, {:.3f}]".format(value.mean(), *interval(value)) for value in values]
            lines.append(f"| {group} ({len(of_change)}) | `{change}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speaker", help="default: the first of the training split")
    parser.add_argument("--alone", action="store_true", help="train on this speaker alone, not on the whole corpus")
    parser.add_argument("--others", nargs="*", help="speakers whose clips are measured; default: all others")
    parser.add_argument("--changes", nargs="*", default=[])
    parser.add_argument("--base", type=int, default=0, help="steps of plain before the changes")
    parser.add_argument("--steps", type=int, default=30, help="steps of each change")
    parser.add_argument("--seconds", type=float, default=0, help="instead of steps")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--same", type=int, default=12, help="maximum number of the speaker's test clips")
    parser.add_argument("--every", type=int, default=1, help="measure every n-th frame")
    parser.add_argument("--out", type=Path, default=Path("reports/vgnet_params"))
    options = parser.parse_args()
    torch.set_num_threads(1)  # a second thread would wait, and waiting counts as processor time

    store = ClipStore(paths.DATA)
    speaker = options.speaker or store.speaker(store.ids("train")[0])
    everything = [clip for split in ("train", "val", "test") for clip in store.ids(split)]
    others = set(options.others or map(store.speaker, everything)) - {speaker}
    clips = {
        "other speakers": [clip for clip in everything if store.speaker(clip) in others],
        "same speaker": OneSpeaker(speaker).ids("test")[: options.same],
    }
    plain = replace(load_params(paths.PARAMS).vgnet, epochs=0)
    options.out.mkdir(parents=True, exist_ok=True)
    make, results = tasks(speaker if options.alone else None, options.seed), options.out / "clips.csv"
    base = None
    if options.base:
        first = argparse.Namespace(out=options.out / "base", steps=options.base, seconds=0)
        base = trained(make, plain, PLAIN, first, None)
        make = tasks(speaker if options.alone else None, options.seed + 1)  # other windows than those of the base
    rows = pd.read_csv(results) if results.exists() else pd.DataFrame({"change": []})
    for change in [PLAIN, *options.changes]:
        if change in set(rows.change):
            continue
        folder = trained(make, plain, change, options, base)
        head = TalkingHead.from_pretrained(folder, plain.precision)
        rows = pd.concat([rows, measured(head, clips, change, options.every)], ignore_index=True)
        rows.to_csv(results, index=False)
        print(table(rows), flush=True)


if __name__ == "__main__":
    main()
