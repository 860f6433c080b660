"""Stage pca: template, mean and basis of the training split's landmarks, into models/landmarks."""

from pipeline.landmarks.pca import fit_model
from pipeline.prepare.pca import write_explained
from pipeline.runtime import paths
from pipeline.shards.clip_store import ClipStore
from stages.runner import Context, run_stage


def main(context: Context) -> None:
    """Fit on the training split alone."""
    store = ClipStore(paths.DATA)
    model = fit_model((store.points(clip) for clip in store.ids("train")), context.params.pca.components)
    model.save(paths.LANDMARKS_MODEL)
    write_explained(model, paths.LANDMARKS_MODEL)
    context.run.metrics({"explained": float(model.explained[: model.components].sum())})
    context.run.artifact(paths.LANDMARKS_MODEL)


if __name__ == "__main__":
    run_stage("pca", ["pca"], main)
