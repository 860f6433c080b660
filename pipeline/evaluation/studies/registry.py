"""The registry of studies: importing this module fills it."""

import pipeline.evaluation.studies.landmark_noise
import pipeline.evaluation.studies.sound  # noqa: F401
from pipeline.evaluation.studies.base import STUDIES

__all__ = ["STUDIES"]
