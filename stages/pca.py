"""Stage pca: the landmark model (template, mean and basis of the training split) into models/landmarks."""

from pipeline.prepare.pca import landmark_model, write_explained
from pipeline.runtime import paths
from pipeline.shards.clip_store import ClipStore
from stages.runner import Context, run_stage


def main(context: Context) -> None:
    """Fit on the training split only, or copy the model of a bundle."""
    params = context.params.pca
    model = landmark_model(ClipStore(paths.DATA), params, context.bundle(params.init))
    model.save(paths.LANDMARKS_MODEL)
    write_explained(model, paths.LANDMARKS_MODEL)
    context.run.metrics({"explained": float(model.explained[: model.components].sum())})
    context.run.artifact(paths.LANDMARKS_MODEL)


if __name__ == "__main__":
    run_stage("pca", main)
