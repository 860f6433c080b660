"""Stage sample: makes the embedded corpus in data/sample."""

from pipeline.corpora.synthetic import build_sample
from pipeline.runtime import paths
from stages.runner import Context, run_stage


def main(context: Context) -> None:
    """Speech, faces and alignments of the sample corpus, and its contact sheet."""
    build_sample(context.params.corpora.sample, paths.SAMPLE, context.jobs)
    context.run.artifact(paths.SAMPLE / "contact_sheet.png")


if __name__ == "__main__":
    run_stage("sample", ["corpora"], main)
