"""Stage train_atnet: AT-net, speech to landmark coefficients, into models/atnet."""

from pipeline import paths
from pipeline.stage import Context, run_training_stage
from pipeline.training.listeners import progress
from pipeline.training.project import example, train


def main(context: Context) -> None:
    """Train on the training split, validate on val; killed, it goes on where it was."""
    train("atnet", context.params, [progress(), context.run.listener()])
    context.run.model(paths.ATNET, example("atnet", context.params), "atvgnet-atnet")


if __name__ == "__main__":
    run_training_stage("train_atnet", ["seed", "atnet"], main)
