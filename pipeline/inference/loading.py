"""The preprocessing that belongs to a bundle."""

from pathlib import Path
from typing import get_args

from pipeline.config.params import Normalisation, SpeechKind
from pipeline.inference.preprocessing.base import Preprocessing
from pipeline.inference.preprocessing.project import ProjectPreprocessing
from pipeline.models.bundle import Bundle
from pipeline.models.pretrained import pretrained_folder
from pipeline.runtime.errors import PipelineError
from pipeline.speech.features import KINDS, SpeechFeatures


def bundle_folder(source: str | Path | None) -> Path:
    """Where a bundle lies that is named by its folder, or by `models:/NAME@ALIAS`, a registered one, where MLflow is
    installed; without a name the one that ships with the project. PipelineError when it cannot be found.
    """
    if source is None:
        return pretrained_folder()
    if str(source).startswith("models:/"):
        from pipeline.tracking.models import fetch_bundle

        return fetch_bundle(str(source))
    return Path(source)


def load_preprocessing(bundle: Bundle) -> Preprocessing:
    """How the bundle's networks are fed. PipelineError when they were trained on what this version does not compute."""
    if bundle.landmarks is None or bundle.speech is None or bundle.crop is None:
        from pipeline.inference.published.preprocessing import PublishedPreprocessing  # the stages do without it

        return PublishedPreprocessing.load(bundle.folder)
    window, initial = bundle.speech.window, bundle.speech.initial
    ours = [
        SpeechFeatures.of(window, kind, normalise, initial if normalise == "adaptive" else None)
        for kind in get_args(SpeechKind)
        for normalise in get_args(Normalisation)
        if normalise != "adaptive" or (initial is not None and len(initial.mean) == KINDS[kind][1])
    ]
    if bundle.speech not in ours:
        raise PipelineError(
            f"{bundle.folder / 'atnet'} was trained on other speech features ({bundle.speech}) than this version "
            f"computes ({ours[0]}). Use the version of the project that trained it."
        )
    return ProjectPreprocessing(bundle.landmarks, bundle.speech, bundle.crop)
