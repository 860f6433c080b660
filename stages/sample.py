"""Stage sample: the embedded corpus into data/sample, if the chosen corpus includes it; else an empty folder."""

import shutil

from pipeline.corpora.registry import corpus_params
from pipeline.corpora.union import members_of
from pipeline.runtime import paths
from pipeline.synthetic.build_sample import build_synthetic
from stages.runner import Context, run_stage


def main(context: Context) -> None:
    """Make speech, faces and alignments of the embedded corpus, and its contact sheet."""
    if "sample" not in members_of(context.params):
        shutil.rmtree(paths.SYNTHETIC, ignore_errors=True)
        paths.SYNTHETIC.mkdir(parents=True)
        return
    build_synthetic(corpus_params(context.params, "sample"), paths.SYNTHETIC, context.jobs)
    context.run.artifact(paths.SYNTHETIC / "contact_sheet.png")


if __name__ == "__main__":
    run_stage("sample", main)
