"""Stage landmarks: the 68 points and aligned face crops of every clip, into data/faces."""

from pipeline import paths
from pipeline.corpora import open_corpus
from pipeline.faces.build import build_faces
from pipeline.manifest import read_manifest
from pipeline.stage import Context, run_stage


def main(context: Context) -> None:
    """Find, follow, align and crop one face a clip."""
    root = open_corpus(context.params, context.project).root
    params, limit = context.params.landmarks, context.params.extract.time_limit
    rows = build_faces(read_manifest(paths.CLIPS), root, params, paths.FACES, context.jobs, time_limit=limit)
    good = [row for row in rows if row["status"] == "ok"]
    context.run.metrics(
        {
            "clips": len(rows),
            "rejected": len(rows) - len(good),
            "detected": sum(row["detected"] for row in rows) / len(rows),
            "jitter": sum(row["jitter"] for row in good) / len(good),
        }
    )


if __name__ == "__main__":
    run_stage("landmarks", ["corpus", "corpora", "extract", "landmarks"], main)
