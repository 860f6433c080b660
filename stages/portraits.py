"""Stage portraits: clips from photographs into data/portraits, if the corpus includes them; else an empty table."""

from pipeline.corpora.registry import check_root, corpus_params
from pipeline.corpora.union import members_of
from pipeline.runtime import paths
from pipeline.synthetic.build_portraits import PHOTOS, Recipe, build_portraits, summary, write_empty
from stages.runner import Context, run_stage


def main(context: Context) -> None:
    """Make clips of every photograph; unusable ones get a row with the reason."""
    if "portraits" not in members_of(context.params):
        write_empty(paths.PORTRAITS)
        return
    check_root(context.params, context.project)
    params = corpus_params(context.params, "portraits")
    root = (context.project / params.root).expanduser().absolute()
    voices = (context.project / params.voices).expanduser().absolute() if params.voices else None
    recipe = Recipe(params.clips, params.seed, params.smile)
    table = build_portraits(root, "corpora.portraits", recipe, paths.PORTRAITS, context.jobs, voices, params.synthetic)
    print(summary(table))
    context.run.metrics({"photos": len(table), "unusable": int((table["status"] != "ok").sum())})
    context.run.artifact(paths.PORTRAITS / PHOTOS)


if __name__ == "__main__":
    run_stage("portraits", main)
