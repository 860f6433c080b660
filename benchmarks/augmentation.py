"""What augmentation brings on speakers whom VG-net has never seen, and what it costs on the one whom it has.

Trains VG-net without augmentation on one speaker's training clips of what `dvc repro` has prepared, and goes on from
there once without and once with each of `--changes`. Measures `vg_gt` on all clips of every other speaker and on test
clips of the same one: means with 95% bootstrap intervals over clips, and the mean difference in LMD from no
augmentation, clip by clip. What is in `--out` already is not done again.

    python benchmarks/augmentation.py --speaker s1 --base 2000 --steps 1000 --changes flip=0.5 flip=0.5,colour=1
"""

import argparse
from dataclasses import asdict, fields, replace
from pathlib import Path

import pandas as pd

from pipeline.config.file import load_params
from pipeline.config.training import PictureAugmentation, VgNetParams
from pipeline.evaluation.baselines.static import static
from pipeline.evaluation.baselines.vg_gt import vg_gt
from pipeline.evaluation.bootstrap import interval
from pipeline.evaluation.clips import StoredClips
from pipeline.evaluation.measure import compare, observe
from pipeline.faces.crop import CROP
from pipeline.inference.talking_head import TalkingHead
from pipeline.landmarks.pca import LandmarkModel
from pipeline.models.registry import load_model
from pipeline.runtime import paths
from pipeline.shards.clip_store import ClipStore
from pipeline.training.data import StoreSource
from pipeline.training.loop import train
from pipeline.training.vgnet import VgNetTask

NONE = "none"
METRICS = ("psnr", "ssim", "lmd")


class OneSpeaker(ClipStore):
    """The clips of one speaker."""

    def __init__(self, speaker: str) -> None:
        super().__init__(paths.DATA)
        self._speaker = speaker

    def ids(self, split: str) -> list[str]:
        return [clip for clip in super().ids(split) if self.speaker(clip) == self._speaker]


def trained(speaker: str, params: VgNetParams, seed: int, base: Path | None, out: Path) -> TalkingHead:
    """The project's AT-net and landmark model beside a VG-net trained on ``speaker`` alone, from ``base`` on."""
    model, store = LandmarkModel.load(paths.LANDMARKS_MODEL), OneSpeaker(speaker)
    train_split, val_split = (StoreSource(store, model, split, speech=False) for split in ("train", "val"))
    task = VgNetTask(train_split, val_split, params, seed, {"landmarks": model.digest, "crop": asdict(CROP)})
    if base is not None:
        task.network.load_state_dict(load_model(base / "vgnet", "model")[0].state_dict())
    if not (out / "vgnet" / "model.json").exists():
        train(task, out / "vgnet", out / "resume")
    for part in (paths.ATNET, paths.LANDMARKS_MODEL):
        (out / part.name).unlink(missing_ok=True)
        (out / part.name).symlink_to(part.resolve())
    return TalkingHead.from_pretrained(out, params.precision)


def measured(head: TalkingHead, clips: dict[str, list[str]], change: str, every: int) -> pd.DataFrame:
    """A row per clip and method, of every so many frames."""
    stored = StoredClips(ClipStore(paths.DATA))
    rows: list[dict[str, object]] = []
    for group, ids in clips.items():
        for clip in map(stored.load, ids):
            clip = replace(clip, frames_THWC=clip.frames_THWC[::every], points_T68x2=clip.points_T68x2[::every])
            real = observe(clip.frames_THWC[1:])
            methods = {change: vg_gt} if change != NONE else {"static": static, NONE: vg_gt}
            for name, method in methods.items():
                fake_THWC = method(head, clip).frames_THWC
                metrics = compare(real, observe(fake_THWC[1:])).values
                rows.append({"change": name, "group": group, "id": clip.id, **metrics})
    return pd.DataFrame(rows)


def table(rows: pd.DataFrame) -> str:
    lines = ["| clips | augment | PSNR, dB | SSIM | LMD, px | difference in LMD |", "|---|---|---|---|---|---|"]
    for group, of_group in rows.groupby("group", sort=False):
        plain = of_group[of_group.change == NONE].set_index("id")["lmd"]
        for change, one in of_group.groupby("change", sort=False):
            values = [one[name] for name in METRICS] + [one.set_index("id")["lmd"] - plain]
            cells = ["{:.3f} [{:.3f}, {:.3f}]".format(value.mean(), *interval(value)) for value in values]
            lines.append(f"| {group} ({len(one)}) | `{change}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    kinds = [kind.name for kind in fields(PictureAugmentation)]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speaker", help="the first of the training split, if not given")
    parser.add_argument("--changes", nargs="*", default=[f"{kind}=0.5" for kind in kinds])
    parser.add_argument("--others", nargs="*", help="speakers whose clips are measured; all others, if not given")
    parser.add_argument("--base", type=int, default=60, help="steps without augmentation at first")
    parser.add_argument("--steps", type=int, default=30, help="steps after them")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--same", type=int, default=12, help="at most so many test clips of the speaker")
    parser.add_argument("--every", type=int, default=1, help="measure every so many frames")
    parser.add_argument("--out", type=Path, default=Path("reports/augmentation"))
    arguments = parser.parse_args()

    store = ClipStore(paths.DATA)
    speaker = arguments.speaker or store.speaker(store.ids("train")[0])
    everything = [clip for split in ("train", "val", "test") for clip in store.ids(split)]
    others = set(arguments.others or map(store.speaker, everything)) - {speaker}
    clips = {
        "other speakers": [clip for clip in everything if store.speaker(clip) in others],
        "same speaker": OneSpeaker(speaker).ids("test")[: arguments.same],
    }
    plain = replace(load_params(paths.PARAMS).vgnet, epochs=0)
    name = f"{speaker.replace('/', '-')}-{arguments.base}-{arguments.steps}-{arguments.seed}"
    base, found = arguments.out / f"base-{name}", arguments.out / f"{name}.csv"
    trained(speaker, replace(plain, steps=arguments.base), arguments.seed, None, base)
    rows = pd.read_csv(found) if found.exists() else pd.DataFrame({"change": []})
    for change in [NONE, *arguments.changes]:
        if change in set(rows.change):
            continue
        strengths = dict(pair.split("=") for pair in change.split(",") if change != NONE)
        augment = PictureAugmentation(**{kind: float(one) for kind, one in strengths.items()})
        params = replace(plain, augment=augment, steps=arguments.steps)
        head = trained(speaker, params, arguments.seed + 1, base, arguments.out / f"{name}-{change}")
        rows = pd.concat([rows, measured(head, clips, change, arguments.every)], ignore_index=True)
        rows.to_csv(found, index=False)
        print(table(rows), flush=True)


if __name__ == "__main__":
    main()
