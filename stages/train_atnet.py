"""Stage train_atnet: AT-net, speech to landmark coefficients, into models/atnet."""

from pipeline.runtime import paths
from pipeline.training.atnet import train_from_store
from pipeline.training.callbacks import Progress
from pipeline.training.sources import input_example
from stages.runner import Context, run_training_stage


def main(context: Context) -> None:
    """Train on the training split and validate on val; continues a training that was killed."""
    bundle = context.bundle(context.params.atnet.init)
    train_from_store(context.params, [Progress(), context.run.callback()], bundle)
    context.run.model(paths.ATNET, input_example("atnet", context.params), "atvgnet-atnet")


if __name__ == "__main__":
    run_training_stage("train_atnet", main)
