"""What processes do together in the tests: `torchrun ... -m tests.training.together ACTION FOLDER`."""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.config.training import AtNetParams, PictureAugmentation, VgNetParams
from pipeline.models.discriminator import Discriminator
from pipeline.models.vgnet import VgNet
from pipeline.runtime.errors import PipelineError
from pipeline.training import distribution
from pipeline.training.atnet import AtNetTask
from pipeline.training.distribution import parallel
from pipeline.training.loop import train
from pipeline.training.vgnet import VgNetTask
from tests.training.synthetic import DrawnClips

AT = AtNetParams(width=8, steps=6, batch=4, frames=4, validate_every=2, precision="float32", lr=2e-4)
# Adam's first steps are as long for a gradient of rounding errors as for any other, so the discriminator's are short.
VG = VgNetParams(
    width=8,
    steps=6,
    batch=4,
    frames=3,
    validate_every=2,
    precision="float32",
    lr=2e-4,
    discriminator_lr=1e-6,
    augment=PictureAugmentation(flip=0.5, shift=0.5, light=0.5, colour=0.5),
)
TRAININGS: dict[str, AtNetParams | VgNetParams] = {
    "atnet": AT,
    "vgnet": VG,
    "dropout": replace(VG, dropout=0.5, steps=2),
    "unused": replace(VG, recurrence="none", attention=False, steps=2),
}


class Textured(DrawnClips):
    """Pictures that vary from pixel to pixel: of plain ones, batch normalisation makes large what rounding left."""

    def pictures(self, clip: int, frames: Sequence[int]) -> NDArray[np.uint8]:
        drawn = super().pictures(clip, frames)
        return np.asarray(drawn // 2 + np.random.default_rng(clip).integers(0, 120, drawn.shape[1:]), np.uint8)


TRAIN, VAL = Textured(3), Textured(2, seed=1)


class Poisoned(DrawnClips):
    """Clip 2 has no number for its mouth, so that a step's losses are NaN in one process alone."""

    def coefficients(self, clip: int) -> NDArray[np.float32]:
        return super().coefficients(clip) * (np.float32(np.nan) if clip == 2 else 1)


def run(name: str, folder: Path, **changes: Any) -> None:
    """Train TRAININGS[name] into folder/name/out, resuming from folder/name/resume."""
    params = replace(TRAININGS[name], **changes)
    where = folder / name / "out", folder / name / "resume"
    if isinstance(params, AtNetParams):
        train(AtNetTask(TRAIN, VAL, params, 0), *where)
    else:
        train(VgNetTask(TRAIN, VAL, params, 0), *where)


def step_exactly() -> dict[str, NDArray[np.float64]]:
    """Gradients and statistics of one step of either network in float64, in which nothing is lost to rounding."""
    torch.manual_seed(0)
    clips = [torch.randn(4, 3, 128, 128), torch.randn(4, 136), torch.randn(4, 2, 136), torch.randn(4, 2, 3, 128, 128)]
    image, reference, landmarks, frames = (
        torch.stack(list(distribution.own_share(list(one)))).double() for one in clips
    )
    painter, judge = VgNet(8, dropout=0.5).double(), Discriminator(8).double()
    painting, judging = parallel(painter), parallel(judge)
    made = painting(image, reference, landmarks)
    (made.frames_BTCHW.square().mean() + made.attention_BT1HW.mean()).backward()
    answers = [*judging(frames, reference), *judging(made.frames_BTCHW.detach(), reference)]
    torch.stack([answer.square().mean() for answer in answers]).sum().backward()
    found = {}
    for number, network in enumerate((painter, judge)):
        for name, weight in network.named_parameters():
            assert weight.grad is not None
            found[f"{number} {name}'"] = weight.grad.numpy()
        found |= {f"{number} {name}": value.numpy() for name, value in network.named_buffers()}
    return found


def everything(folder: Path) -> None:
    """All trainings; then those that cannot be, whose messages each process writes down."""
    mine = folder / f"rank{distribution.rank()}"
    for name in TRAININGS:
        run(name, mine)
    exact = step_exactly()
    messages = []
    source = DrawnClips(3, seed=distribution.rank())
    for refused in (
        lambda: run("vgnet", mine, batch=3),
        lambda: run("vgnet", mine, recurrence="batch"),
        lambda: train(AtNetTask(source, VAL, AT, 0), mine / "x", mine / "y"),
        lambda: train(AtNetTask(Poisoned(3), VAL, replace(AT, batch=2, validate_every=1), 1), mine / "x", mine / "y"),
    ):
        try:
            refused()
        except PipelineError as error:
            messages.append(str(error))
    (folder / f"messages{distribution.rank()}.json").write_text(json.dumps(messages))
    if distribution.is_first():
        np.savez(folder / "exact.npz", allow_pickle=False, **exact)


def main() -> None:
    """Train together, as the entry points do."""
    torch.set_num_threads(1)
    action, folder = sys.argv[1:] if sys.argv[1:] else ("long", os.environ["FOLDER"])
    with distribution.joined():
        (Path(folder) / f"pid{distribution.rank()}").write_text(str(os.getpid()))
        if action == "everything":
            everything(Path(folder))
        else:
            run("vgnet", Path(folder) / "rank0")


if __name__ == "__main__":
    main()
