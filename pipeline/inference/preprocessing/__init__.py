"""What stands between the world and the networks, by which weights of different makers differ: how speech is heard, how
a face is cropped, and what landmarks and coefficients mean.
"""

from pipeline.inference.preprocessing.base import Preprocessing, Reference
from pipeline.inference.preprocessing.load import load_preprocessing
from pipeline.inference.preprocessing.project import ProjectPreprocessing

__all__ = ["Preprocessing", "ProjectPreprocessing", "Reference", "load_preprocessing"]
