"""Stage train_atnet: AT-net, speech to landmark coefficients, into models/atnet."""

from pipeline import paths
from pipeline.landmarks.model import LandmarkModel
from pipeline.stage import Context, run_stage
from pipeline.training.atnet import train_atnet
from pipeline.training.data import ShardSource
from pipeline.training.listeners import Progress


def main(context: Context) -> None:
    """Train on the training split, validate on val; killed, it goes on where it was."""
    model = LandmarkModel.load(paths.LANDMARKS_MODEL)
    train, val = (ShardSource(paths.FACES, paths.MFCC, model, split) for split in ("train", "val"))
    listeners = [Progress(), context.run.listener()]
    params = context.params
    train_atnet(train, val, params.atnet, params.seed, paths.ATNET, paths.resume_folder("train_atnet"), listeners)
    frames = params.atnet.frames
    example = {"example_BK": val.coefficients(0)[:1], "windows_BT1RC": val.windows(0)[None, :frames, None]}
    context.run.model(paths.ATNET, example, "atvgnet-atnet")


if __name__ == "__main__":
    run_stage("train_atnet", ["seed", "atnet"], main)
