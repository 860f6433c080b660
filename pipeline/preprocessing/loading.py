"""Opens bundles: where a bundle is, and which preprocessing its networks need."""

from pathlib import Path
from typing import get_args

from pipeline.bundles.bundle import Bundle
from pipeline.bundles.location import find_bundle
from pipeline.config.params import Normalisation, SpeechKind
from pipeline.preprocessing.base import Preprocessing
from pipeline.preprocessing.project import ProjectPreprocessing
from pipeline.runtime.errors import PipelineError
from pipeline.speech.features import KINDS, SpeechFeatures


def bundle_folder(source: str | Path | None) -> Path:
    """Return the folder of a bundle, as `find_bundle`; a registered one is downloaded from MLflow."""

    def fetch(uri: str) -> Path:
        from pipeline.tracking.models import fetch_bundle  # generation alone does not need MLflow

        return fetch_bundle(uri)

    return find_bundle(source, fetch=fetch)


def load_preprocessing(bundle: Bundle) -> Preprocessing:
    """Return the preprocessing of a bundle's networks.

    Raises PipelineError if they were trained on speech features that this version does not compute.
    """
    if bundle.trained is None:
        from pipeline.preprocessing.published.recipe import PublishedPreprocessing  # the stages do not need it

        return PublishedPreprocessing.load(bundle.folder)
    speech = bundle.trained.speech
    window, initial = speech.window, speech.initial
    known = [
        SpeechFeatures.of(window, kind, normalise, initial if normalise == "adaptive" else None)
        for kind in get_args(SpeechKind)
        for normalise in get_args(Normalisation)
        if normalise != "adaptive" or (initial is not None and len(initial.mean) == KINDS[kind].coefficients)
    ]
    if speech not in known:
        raise PipelineError(
            f"{bundle.folder / 'atnet'} was trained on other speech features ({speech}) than this version "
            f"computes ({known[0]}). Use the version of the project that trained it."
        )
    return ProjectPreprocessing(*bundle.trained)
