"""The speech features that the stage mfcc made, as AT-net's file names them."""

from pipeline.config.params import Params
from pipeline.runtime import paths
from pipeline.shards.initial import read_initial
from pipeline.speech.features import SpeechFeatures


def speech_features(params: Params) -> SpeechFeatures:
    """By the params and the initial statistics beside the features; PipelineError where these are missing."""
    mfcc = params.mfcc
    initial = read_initial(paths.MFCC) if mfcc.normalise == "adaptive" else None
    return SpeechFeatures.of(mfcc.window, mfcc.kind, mfcc.normalise, initial)
