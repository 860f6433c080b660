"""Stage evaluate: metrics, pictures and videos of the test split, into reports; the bundle's card, into models."""

from pipeline.bundles.bundle import write_card, write_provenance
from pipeline.config.params import Params
from pipeline.evaluation.baselines import BASELINES
from pipeline.evaluation.clips import StoredClips
from pipeline.evaluation.evaluate import choose_clips, evaluate
from pipeline.evaluation.folder import replacing_evaluation
from pipeline.evaluation.models import bundle_card
from pipeline.evaluation.published import published_row
from pipeline.evaluation.tables import Summary, means
from pipeline.inference.talking_head import TalkingHead
from pipeline.metrics import DECIDING
from pipeline.reports.page import write_page
from pipeline.runtime import paths
from pipeline.runtime.checkout import git
from pipeline.runtime.hashes import hash_file
from pipeline.shards.clip_store import ClipStore
from pipeline.tracking.best import Judgement, digest
from pipeline.tracking.run import select
from pipeline.training.record import read_record
from pipeline.training.sources import FOLDERS, NETWORKS, input_example
from stages.runner import Context, params_of, run_stage


def main(context: Context) -> None:
    """Measure the system and its baselines, and finish the pipeline's run."""
    records = {network: read_record(network, context.params) for network in NETWORKS}
    head = TalkingHead.from_pretrained(paths.MODELS, context.params.vgnet.precision)
    store = ClipStore(paths.DATA)
    clips = StoredClips(store, trained=True)
    extra_methods = published_row(context.params, context.project, store)
    with replacing_evaluation(paths.REPORTS) as folder:
        params = context.params.evaluate
        summary = evaluate(head, clips, params, context.params.seed, folder, context.jobs, extra_methods=extra_methods)
    write_card(paths.MODELS, bundle_card(context.params, summary))
    write_provenance(paths.MODELS, git("rev-parse", "HEAD"))
    write_page(paths.REPORTS, project=True)
    context.run.artifact(paths.REPORTS)
    for network, record in records.items():
        stage = f"train_{network}"
        model = FOLDERS[network], input_example(network, context.params), f"atvgnet-{network}"
        context.run.adopt(stage, select(context.params, params_of(stage)), record, model)
    context.run.bundle(paths.MODELS)
    context.run.finish(means(summary), _judgements(context.params, clips.ids("test"), summary))


def _judgements(params: Params, ids: list[str], summary: Summary) -> dict[str, Judgement]:
    """The value by which each registered model competes for the alias `best`; that of the whole system comes first.

    A model has none if its baseline's pictures show no face, or if the protocol is not `full`.
    """
    if params.evaluate.protocol != "full":
        return {}
    chosen = choose_clips(ids, params.evaluate.max_clips, params.seed)
    return {
        model: Judgement(
            metric=f"{baseline.name}.{DECIDING}",
            value=summary[baseline.name][DECIDING],
            corpus=params.corpus,
            clips=digest(chosen),
            whole=len(chosen) == len(ids),
            partner=digest([hash_file(paths.MODELS / partner / "model.safetensors", 0.0)]) if partner else "",
        )
        for baseline in reversed(BASELINES.values())
        if DECIDING in summary.get(baseline.name, {})
        for model, partner in baseline.decides.items()
    }


if __name__ == "__main__":
    run_stage("evaluate", main)
