"""The models under evaluation: the evaluation of any folder of models outside DVC, and the card of the project's."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.config.params import Params
from pipeline.corpora.registry import open_corpus, terms
from pipeline.corpora.union import members_of, roots
from pipeline.evaluation.clips import StoredClips
from pipeline.evaluation.evaluate import evaluate
from pipeline.evaluation.folder import replacing_evaluation
from pipeline.evaluation.published import SourceClips, published_row
from pipeline.evaluation.tables import Summary, program
from pipeline.inference.talking_head import TalkingHead
from pipeline.preprocessing.project import ProjectPreprocessing
from pipeline.preprocessing.published.recipe import PublishedPreprocessing
from pipeline.runtime import paths
from pipeline.runtime.checkout import git
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import real_path, refuse_input
from pipeline.runtime.paths import StrPath
from pipeline.shards.clip_store import ClipStore
from pipeline.training.atnet import speech_features
from pipeline.training.sources import NETWORKS, digest


def evaluate_models(models: StrPath, out: StrPath, params: Params, project: StrPath, jobs: int) -> Summary:
    """Measure models on the test split that the stages prepared.

    Imported models get the clips as they were trained: cut from the corpus's own files. ``project`` is the folder in
    which corpora with a relative root lie. Returns the means and intervals over all clips.

    Raises PipelineError if something is missing, if the clips do not fit the models, or if ``out`` is the stage's,
    overlaps the input, or holds anything but an evaluation.
    """
    models, out = Path(models), Path(out)
    if real_path(out) == real_path(paths.REPORTS):
        raise PipelineError(f"{out} belongs to the stage evaluate. Give another folder with --out.")
    corpus = open_corpus(params, project)
    parts = (models / name for name in ("atnet", "vgnet", "landmarks"))
    refuse_input(out, *parts, paths.CLIPS, paths.FACES, paths.MFCC, *roots(corpus))
    head = TalkingHead.from_pretrained(models, params.vgnet.precision)
    store = ClipStore(paths.DATA)
    clips = StoredClips(store, _trained_on(head, params))
    extra_methods = []
    if isinstance(head.preprocessing, PublishedPreprocessing):
        clips = SourceClips(store, corpus.root, head.preprocessing)
    elif head.size != store.size:
        raise PipelineError(
            f"{models} makes faces of {head.size} pixels, and {store.faces.folder} has crops of {store.size}. Prepare "
            f"the clips with landmarks.size = {head.size}, or give models of {store.size}."
        )
    else:
        check_speech(head, params, models)
        extra_methods = published_row(params, project, store)
    with replacing_evaluation(out) as folder:
        made = {**program(), "commit": git("rev-parse", "HEAD") or None}
        return evaluate(head, clips, params.evaluate, params.seed, folder, jobs, made, extra_methods)


def _trained_on(head: TalkingHead, params: Params) -> bool:
    """Whether the models were trained on the clips that the stages prepared, so that the seen speakers are known."""
    data = head.card.get("trained_on", {}).get("data", {})
    return bool(data) and data == {network: digest(network, params) for network in NETWORKS}


def check_speech(head: TalkingHead, params: Params, models: Path) -> None:
    """Raise PipelineError if the models need other speech features than the stage mfcc computed."""
    assert isinstance(head.preprocessing, ProjectPreprocessing)
    mfcc, needed, prepared = params.mfcc, head.preprocessing.speech, speech_features(params)
    if needed != prepared and replace(needed, initial=prepared.initial) == prepared:
        raise PipelineError(
            f"{models} normalises speech from other initial statistics than {paths.MFCC}. Set mfcc.init to {models} "
            "and run `dvc repro mfcc`."
        )
    if needed != prepared:
        raise PipelineError(
            f"{models} hears mfcc.kind {needed.kind}, normalise {needed.normalise}, window {needed.window}, and "
            f"{paths.MFCC} has {mfcc.kind}, {mfcc.normalise}, {mfcc.window}. Set mfcc in params.yaml so and run "
            "`dvc repro mfcc`."
        )


def bundle_card(params: Params, metrics: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """The card of the project's models, as JSON data; the same for the same training.

    Parameters and hashes of the data come from the networks' files, so they are those of the training. `face` is the
    rule by which `generate` chooses a face, as the training did.
    """
    licence, attribution = terms(params)
    trained = {
        folder.name: json.loads((folder / "model.json").read_text(encoding="utf-8"))["meta"]
        for folder in (paths.ATNET, paths.VGNET)
    }
    return {
        "name": f"atvgnet-{params.corpus}",
        "trained_on": {
            "corpus": "+".join(members_of(params)),
            "seed": trained["vgnet"]["seed"],
            "data": {name: meta["data"] for name, meta in trained.items()},
            "params": {name: meta["params"] for name, meta in trained.items()},
        },
        "face": params.landmarks.face,
        "metrics": metrics,
        "licence": licence,
        "attribution": attribution,
    }
