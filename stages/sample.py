"""Stage sample: makes the embedded corpus in data/sample."""

from pipeline.corpora.registry import corpus_params
from pipeline.corpora.synthetic.build import build_synthetic
from pipeline.runtime import paths
from stages.runner import Context, run_stage


def main(context: Context) -> None:
    """Speech, faces and alignments of the sample corpus, and its contact sheet."""
    build_synthetic(corpus_params(context.params, "sample"), paths.SYNTHETIC, context.jobs)
    context.run.artifact(paths.SYNTHETIC / "contact_sheet.png")


if __name__ == "__main__":
    run_stage("sample", ["corpora"], main)
