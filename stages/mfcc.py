"""Stage mfcc: the MFCC of every clip's speech, into data/mfcc."""

from pipeline.prepare.mfcc import build_mfcc
from pipeline.runtime import paths
from stages.runner import Context, run_stage


def main(context: Context) -> None:
    """From samples to rows at 100 Hz."""
    build_mfcc(paths.CLIPS, context.params.mfcc, paths.MFCC, context.jobs)


if __name__ == "__main__":
    run_stage("mfcc", ["mfcc"], main)
