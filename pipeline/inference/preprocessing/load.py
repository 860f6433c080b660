"""Which preprocessing belongs to a folder of models."""

from pathlib import Path

from pipeline.inference.preprocessing.base import Preprocessing
from pipeline.inference.preprocessing.project import ProjectPreprocessing
from pipeline.landmarks.pca import LandmarkModel

RECORD = "preprocessing.json"
"""Lies in folders of imported models and says how their makers prepared what the networks see."""


def load_preprocessing(models: Path, mfcc_window: float) -> Preprocessing:
    """What was recorded with imported models; else the project's own, with the landmark model in the folder.

    `mfcc_window` is that of params.yaml, which only the project's own models follow. PipelineError when a file is
    missing or damaged.
    """
    if (models / RECORD).exists():
        from pipeline.inference.published.preprocessing import PublishedPreprocessing  # the stages do without it

        return PublishedPreprocessing.load(models)
    return ProjectPreprocessing(LandmarkModel.load(models / "landmarks"), mfcc_window)
