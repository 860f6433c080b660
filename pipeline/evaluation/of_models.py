"""The evaluation of any folder of models, outside DVC."""

from dataclasses import replace
from pathlib import Path

from pipeline.config.params import Params
from pipeline.corpora.registry import open_corpus
from pipeline.corpora.union import roots
from pipeline.evaluation.clips import Clips, StoredClips
from pipeline.evaluation.evaluate import evaluate
from pipeline.evaluation.folder import replacing_evaluation
from pipeline.evaluation.published_clips import SourceClips
from pipeline.evaluation.published_row import published_row
from pipeline.evaluation.tables import Summary, program
from pipeline.inference.preprocessing.project import ProjectPreprocessing
from pipeline.inference.published.preprocessing import PublishedPreprocessing
from pipeline.inference.talking_head import TalkingHead
from pipeline.runtime import paths
from pipeline.runtime.checkout import git
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import refuse_input
from pipeline.runtime.paths import StrPath
from pipeline.shards.clip_store import ClipStore
from pipeline.training.sources import NETWORKS, digest, speech_features


def evaluate_models(models: StrPath, out: StrPath, params: Params, project: StrPath, jobs: int) -> Summary:
    """Measure the models in ``models`` on the test split that the stages prepared, and write ``out`` as the stage does.

    Imported models see the clips as they were trained to: cut from the corpus's own files, which ``params`` and
    ``project`` say where to find. Raises PipelineError when something is missing, the clips have another size than the
    models, or ``out`` is the stage's, is or lies in what is read, or holds anything else than an earlier evaluation.
    """
    models, out = Path(models), Path(out)
    if out.resolve() == paths.REPORTS.resolve():
        raise PipelineError(f"{out} belongs to the stage evaluate. Give another folder with --out.")
    corpus = open_corpus(params, project)
    parts = (models / name for name in ("atnet", "vgnet", "landmarks"))
    refuse_input(out, *parts, paths.CLIPS, paths.FACES, paths.MFCC, *roots(corpus))
    head = TalkingHead.from_pretrained(models, params.vgnet.precision)
    store = ClipStore(paths.DATA)
    clips: Clips = StoredClips(store, _trained_on(head, params))
    if isinstance(head.preprocessing, PublishedPreprocessing):
        clips = SourceClips(store, corpus.root, head.preprocessing)
    elif head.size != store.size:
        raise PipelineError(
            f"{models} makes faces of {head.size} pixels, and {store.faces.folder} has crops of {store.size}. Prepare "
            f"the clips with landmarks.size = {head.size}, or give models of {store.size}."
        )
    else:
        check_speech(head, params, models)
    beside = [] if isinstance(clips, SourceClips) else published_row(params, project, store)
    with replacing_evaluation(out) as folder:
        made = {**program(), "commit": git("rev-parse", "HEAD") or None}
        return evaluate(head, clips, params.evaluate, params.seed, folder, jobs, made, beside)


def _trained_on(head: TalkingHead, params: Params) -> bool:
    """Whether the models were trained on the clips that the stages prepared, and so on no speaker whom these lack."""
    data = head.card.get("trained_on", {}).get("data", {})
    return bool(data) and data == {network: digest(network, params) for network in NETWORKS}


def check_speech(head: TalkingHead, params: Params, models: Path) -> None:
    """PipelineError where the models hear other features than the stage mfcc made."""
    assert isinstance(head.preprocessing, ProjectPreprocessing)
    mfcc, heard, made = params.mfcc, head.preprocessing.speech, speech_features(params)
    if heard != made and replace(heard, initial=made.initial) == made:
        raise PipelineError(
            f"{models} normalises speech from other initial statistics than {paths.MFCC}. Set mfcc.init to {models} "
            "and run `dvc repro mfcc`."
        )
    if heard != made:
        raise PipelineError(
            f"{models} hears mfcc.kind {heard.kind}, normalise {heard.normalise}, window {heard.window}, and "
            f"{paths.MFCC} has {mfcc.kind}, {mfcc.normalise}, {mfcc.window}. Set mfcc in params.yaml so and run "
            "`dvc repro mfcc`."
        )
