"""Stage extract: the corpus's clips into data/clips, a manifest with a verdict a clip and shards of speech."""

from pipeline import paths
from pipeline.corpora import open_corpus
from pipeline.extract import extract
from pipeline.manifest import TooManyLost
from pipeline.quality.report import explain
from pipeline.stage import Context, run_stage


def main(context: Context) -> None:
    """Decode every clip once."""
    corpus = open_corpus(context.params, context.project)
    memory = paths.resume_folder("extract") / "hashes.parquet"
    try:
        rows = extract(corpus, context.params.extract, paths.CLIPS, context.jobs, memory)
    except TooManyLost as error:
        raise explain(error, context, "extract", error.rows, [], corpus.root) from None
    context.run.metrics({"clips": len(rows), "rejected": sum(row.status != "ok" for row in rows)})


if __name__ == "__main__":
    run_stage("extract", ["seed", "corpus", "corpora", "extract"], main)
