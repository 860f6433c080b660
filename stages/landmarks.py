"""Stage landmarks: 68 points and face crops of every clip into data/faces, a quality report into data/quality."""

from pipeline.corpora.registry import open_corpus
from pipeline.prepare.faces import build_faces
from pipeline.prepare.manifest import read_manifest
from pipeline.prepare.quality.limits import TooManyLost
from pipeline.prepare.quality.report import write_report
from pipeline.prepare.quality.videos import video_warnings, with_warnings
from pipeline.runtime import paths
from pipeline.shards.clip_store import ClipStore
from stages.quality import explain, track_report
from stages.runner import Context, run_stage


def main(context: Context) -> None:
    """Detect, track, align and crop one face per clip, and measure its quality."""
    root = open_corpus(context.params, context.project).root
    manifest = read_manifest(paths.CLIPS)
    clips = [vars(row) for row in manifest]
    params, limit = context.params.landmarks, context.params.extract.time_limit
    try:
        faces = build_faces(manifest, paths.CLIPS, root, params, paths.FACES, context.jobs, time_limit=limit)
    except TooManyLost as error:
        raise explain(error, context, "landmarks", clips, error.rows, root) from None
    clips = with_warnings(clips, video_warnings(ClipStore(paths.DATA)))
    table = write_report(paths.QUALITY, clips, faces, root, paths.FACES, context.params)
    track_report(context, paths.QUALITY, table)


if __name__ == "__main__":
    run_stage("landmarks", main)
