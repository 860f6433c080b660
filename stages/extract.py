"""Stage extract: the corpus's clips into data/clips, as a manifest with a verdict per clip and shards of speech."""

from pipeline.config.windows import require_long_clips
from pipeline.corpora.registry import check_root, open_corpus
from pipeline.prepare.extract import extract
from pipeline.prepare.quality.limits import TooManyLost
from pipeline.runtime import paths
from stages.quality import explain
from stages.runner import Context, run_stage


def main(context: Context) -> None:
    """Decode every clip once."""
    check_root(context.params, context.project)
    corpus = open_corpus(context.params, context.project)
    memory = paths.resume_folder("extract") / "hashes.parquet"
    try:
        rows = extract(corpus, context.params.extract, paths.CLIPS, context.jobs, memory)
    except TooManyLost as error:
        raise explain(error, context, "extract", error.rows, [], corpus.root) from None
    good = [row for row in rows if row.status == "ok"]
    require_long_clips(
        context.params, {split: [row.frames for row in good if row.split == split] for split in ("train", "val")}
    )
    context.run.metrics({"clips": len(rows), "rejected": sum(row.status != "ok" for row in rows)})


if __name__ == "__main__":
    run_stage("extract", main)
