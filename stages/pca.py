"""Stage pca: template, mean and basis of the training split's landmarks, into models/landmarks."""

from pipeline import paths
from pipeline.faces.clips import FaceClips
from pipeline.landmarks.model import fit_model
from pipeline.landmarks.report import write_explained
from pipeline.stage import Context, run_stage


def main(context: Context) -> None:
    """Fit on the training split alone."""
    faces = FaceClips(paths.FACES)
    model = fit_model((faces.points(clip) for clip in faces.ids("train")), context.params.pca.components)
    model.save(paths.LANDMARKS_MODEL)
    write_explained(model, paths.LANDMARKS_MODEL)
    context.run.metrics({"explained": float(model.explained[: model.components].sum())})
    context.run.artifact(paths.LANDMARKS_MODEL)


if __name__ == "__main__":
    run_stage("pca", ["pca"], main)
