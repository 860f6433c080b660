"""Stage train_vgnet: VG-net against its discriminator, landmarks and one picture to video, into models/vgnet."""

import numpy as np

from pipeline import paths
from pipeline.landmarks.model import LandmarkModel
from pipeline.stage import Context, run_stage
from pipeline.training.data import ShardSource
from pipeline.training.listeners import Progress
from pipeline.training.vgnet import train_vgnet


def main(context: Context) -> None:
    """Train on the training split, validate on val; killed, it goes on where it was."""
    model = LandmarkModel.load(paths.LANDMARKS_MODEL)
    train, val = (ShardSource(paths.FACES, None, model, split) for split in ("train", "val"))
    listeners = [Progress(), context.run.listener()]
    params = context.params
    train_vgnet(train, val, params.vgnet, params.seed, paths.VGNET, paths.resume_folder("train_vgnet"), listeners)
    landmarks_FL = val.landmarks(0)
    example = {
        "image_BCHW": val.pictures(0, [0]).transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1.0,
        "example_landmarks_BL": landmarks_FL[:1],
        "landmarks_BTL": landmarks_FL[None, : params.vgnet.frames],
    }
    context.run.model(paths.VGNET, example, "atvgnet-vgnet")


if __name__ == "__main__":
    run_stage("train_vgnet", ["seed", "vgnet"], main)
