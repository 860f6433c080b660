"""Stage train_vgnet: VG-net against its discriminator, landmarks and one picture to video, into models/vgnet."""

from pipeline.runtime import paths
from pipeline.training.callbacks import Progress
from pipeline.training.sources import input_example
from pipeline.training.vgnet import train_from_store
from stages.runner import Context, run_training_stage


def main(context: Context) -> None:
    """Train on the training split and validate on val; continues a training that was killed."""
    bundle = context.bundle(context.params.vgnet.init)
    train_from_store(context.params, [Progress(), context.run.callback()], bundle)
    context.run.model(paths.VGNET, input_example("vgnet", context.params), "atvgnet-vgnet")


if __name__ == "__main__":
    run_training_stage("train_vgnet", main)
