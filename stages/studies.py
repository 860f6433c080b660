"""Stage studies: robustness of the models on some test clips; a table per study into studies."""

from pipeline.evaluation.clips import StoredClips
from pipeline.evaluation.studies import run_studies
from pipeline.inference.talking_head import TalkingHead
from pipeline.runtime import paths
from pipeline.shards.clip_store import ClipStore
from stages.runner import Context, run_stage


def main(context: Context) -> None:
    """Run all studies; record tables and curves in the stage's run. A curve's steps are its levels in hundredths."""
    head = TalkingHead.from_pretrained(paths.MODELS, context.params.vgnet.precision)
    clips = StoredClips(ClipStore(paths.DATA))
    tables = run_studies(head, clips, context.params.studies.clips, context.params.seed, paths.STUDIES)
    for name, table in tables.items():
        context.run.artifact(paths.STUDIES / f"{name}.csv", paths.STUDIES.name)
        for row in table.drop(columns="clips").to_dict("records"):
            context.run.metrics({name: row}, step=round(100 * row.pop("level")))


if __name__ == "__main__":
    run_stage("studies", main)
