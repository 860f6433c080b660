"""How well the trained VG-net copes with pictures changed by each kind of augmentation at full strength.

Each test clip and its reference picture are changed alike, by one draw per clip. `vg_gt` and `static` are measured on
the same changed pictures. A smaller gain over `static` shows that VG-net has not learnt to cope with the change.

    python benchmarks/robustness.py --clips 5 --frames 16
"""

import argparse
from dataclasses import fields, replace

import numpy as np
import pandas as pd

from pipeline.config.training import PictureAugmentation
from pipeline.evaluation.baselines.base import static, vg_gt
from pipeline.evaluation.bootstrap import interval
from pipeline.evaluation.clips import StoredClips
from pipeline.inference.talking_head import TalkingHead
from pipeline.landmarks.points import mirror_points
from pipeline.metrics.compute import compute_metrics
from pipeline.metrics.observe import observe
from pipeline.runtime import paths
from pipeline.shards.clip_store import ClipStore
from pipeline.training.augment import augment, draw


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=5)
    parser.add_argument("--frames", type=int, default=16)
    arguments = parser.parse_args()
    head, clips, frames = (
        TalkingHead.from_pretrained(paths.MODELS),
        StoredClips(ClipStore(paths.DATA)),
        arguments.frames,
    )
    ids = clips.ids("test")
    ids = ids[:: max(1, len(ids) // arguments.clips)][: arguments.clips]
    print("| kind | PSNR, dB | its gain on `static` | LMD, px | of `static`'s |\n|---|---|---|---|---|", flush=True)
    for kind in ["none", *(kind.name for kind in fields(PictureAugmentation))]:
        rows = []
        for number, clip in enumerate(map(clips.load, ids)):
            change = draw(PictureAugmentation(**{} if kind == "none" else {kind: 1.0}), 0, number)
            real_THWC, points = augment(clip.frames_THWC[:frames], change), clip.points_T68x2[:frames]
            changed = replace(
                clip, frames_THWC=real_THWC, points_T68x2=mirror_points(points) if change.mirrored else points
            )
            real = observe(real_THWC[1:])
            row: dict[str, float] = {}
            for name, method in (("vg_gt", vg_gt), ("static", static)):
                fake_THWC = method(head, changed).frames_THWC
                values = compute_metrics(real, observe(fake_THWC[1:])).values
                row |= {f"{name}.psnr": values["psnr"], f"{name}.lmd": values["lmd"]}
            rows.append(row)
        table = pd.DataFrame(rows)
        gain = table["vg_gt.psnr"] - table["static.psnr"]
        share = np.asarray(table["vg_gt.lmd"] / table["static.lmd"])
        spread = [
            f"{column.mean():.2f} [{low:.2f}, {high:.2f}]"
            for column in (gain, share)
            for low, high in [interval(column)]
        ]
        means = table[["vg_gt.psnr", "vg_gt.lmd"]].mean()
        print(f"| `{kind}` | {means.iloc[0]:.2f} | {spread[0]} | {means.iloc[1]:.3f} | {spread[1]} |", flush=True)


if __name__ == "__main__":
    main()
