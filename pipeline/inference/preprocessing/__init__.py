"""What stands between the world and the networks, by which weights of different makers differ: how speech is heard, how
a face is cropped, and what landmarks and coefficients mean.
"""

from pipeline.inference.preprocessing.base import Example, Preprocessing
from pipeline.inference.preprocessing.load import load_preprocessing
from pipeline.inference.preprocessing.project import ProjectPreprocessing

__all__ = ["Example", "Preprocessing", "ProjectPreprocessing", "load_preprocessing"]
