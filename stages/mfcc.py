"""Stage mfcc: speech features of every clip into data/mfcc."""

from pipeline.prepare.speech_features import build_mfcc, initial_of
from pipeline.runtime import paths
from stages.runner import Context, run_stage


def main(context: Context) -> None:
    """Compute 100 rows of features per second."""
    params = context.params.mfcc
    bundle = context.bundle(params.init) if params.normalise == "adaptive" else None
    initial = None if bundle is None else initial_of(bundle)
    build_mfcc(paths.CLIPS, params, paths.MFCC, context.jobs, initial)


if __name__ == "__main__":
    run_stage("mfcc", main)
