"""params.yaml as frozen dataclasses, which pipeline/config/file.py reads.

Each class is one section; the docstring below a field describes the parameter. The section of a corpus is in the
corpus's own file (`pipeline/corpora/`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pipeline.config.ranges import AtLeastOne, Count, Range, Section, Share, require
from pipeline.config.training import AtNetParams, VgNetParams

FaceRule = Literal["prominent", "largest", "central", "left", "right"]
WhichFace = FaceRule | int
"""A rule, or the number of a face in a picture, counted from the left, from 1."""
SpeechKind = Literal["mfcc", "log_mel", "embedding_mel"]
Normalisation = Literal["none", "clip", "adaptive"]
Protocol = Literal["full", "paper", "cross"]

_Minimum = Annotated[float, Range(0, note="0: no limit")]
_MinimumShare = Annotated[float, Range(0, 1, note="0: no limit")]


@dataclass(frozen=True)
class Extract(Section):
    """Stage extract."""

    min_frames: Annotated[int, Range(17, note="a window of 16 frames and a reference outside it")] = 20
    """Clips with fewer frames at 25 fps are rejected; training needs 17."""
    max_damaged: Share = 0.1
    """Clips with a larger share of lost or concealed frames are rejected."""
    min_level: Annotated[float, Range(-120, 0, unit="dB", note="-120: no limit")] = -60.0
    """Clips with quieter sound are rejected. In dB below full scale: a full-scale square wave has 0, digital silence
    -120, speech rarely less than -40."""
    max_length_difference: Annotated[float, Range(0, above=True, unit="seconds")] = 0.5
    """Clips are rejected if sound and picture differ in length by more seconds. Longer sound counts for at most 1 s, so
    values from 1.0 on reject only sound that is too short."""
    max_lost: Share = 0.2
    """The stage fails if it rejects a larger share of the clips."""
    time_limit: Annotated[float, Range(0, unit="seconds", note="0: no limit")] = 60.0
    """A clip is given up if its decoder returns no frame and no sound for so many seconds; 0: never. Also applies to
    the stage landmarks."""
    shard_clips: AtLeastOne = 16
    """Average number of clips in a shard."""


@dataclass(frozen=True)
class Landmarks(Section):
    """Stage landmarks. Crop pixels are always those of a 128x128 crop, so `size` does not change a clip's verdict."""

    detect_every: AtLeastOne = 37
    """Frames between two face detections; between them the face is detected only if it moves fast or is lost."""
    face: FaceRule = "prominent"
    """Which of several faces is used: the large and central one, the largest, the most central, the leftmost or the
    rightmost one."""
    alignment: Literal["clip", "frame"] = "clip"
    """clip: scale, rotation and position are smoothed over time; frame: each frame is aligned alone, as in the original
    release."""
    smoothing: Annotated[float, Range(0, 2, unit="seconds")] = 0.2
    """Standard deviation, in seconds, of the Gaussian that smooths the alignment of a clip."""
    size: Literal[128, 256] = 128
    """Side of the face crops and of all generated frames, in pixels. 256 needs videos with as many pixels across the
    face, and more time and memory (docs/training.md). Paper: 128."""
    jpeg_quality: Annotated[int, Range(50, 100)] = 95
    """JPEG quality of the stored face crops."""
    min_detected: _MinimumShare = 0.8
    """Clips are rejected if the face is found in a smaller share of the frames."""
    min_score: _Minimum = 0.5
    """Clips with a lower mean score of the detector are rejected. Whole faces have 0.8 to 4, partial faces less."""
    min_face_size: _Minimum = 64.0
    """Clips are rejected if fewer source pixels lie behind a side of the crop. 64 means enlargement by two, at size 256
    by four."""
    max_jitter: Annotated[float, Range(0, above=True, unit="pixels")] = 1.0
    """Clips whose landmarks shake more are rejected, in crop pixels. Lips move one or two pixels from frame to
    frame."""
    min_sharpness: _Minimum = 0.02
    """Clips with less sharp faces are rejected. Real faces have more than 0.06, faces blurred by 1.5 crop pixels less
    than 0.025."""
    min_mouth: _MinimumShare = 0.8
    """Clips are rejected if the mouth is visible in a smaller share of the frames."""
    min_frontal: _MinimumShare = 0.05
    """Clips with less frontal faces are rejected: 1 is frontal, at 0 the nose hides a corner of the mouth."""
    max_cuts: Count = 0
    """Clips with more cuts (new shots) are rejected, whoever they show."""
    max_identity: Annotated[float, Range(0, above=True, note="2: no limit")] = 0.5
    """Clips whose faces differ more are rejected, by the distance of dlib's face descriptors. Faces of one person
    differ by up to 0.44, of two people by 0.5 and more. Only suspicious clips are compared."""
    min_movement: _Minimum = 0.18
    """Clips whose mouth changes its shape less are rejected, in crop pixels. Speech has 0.25 and more, a still picture
    up to 0.13."""
    min_sync: Annotated[float, Range(-1, 1, note="-1: no limit")] = 0.2
    """Clips with a lower correlation of sound and lips are rejected. Real clips have 0.26 and more. Measured only for
    clips of at least 2 s whose speech has pauses."""
    max_lost: Share = 0.3
    """The stage fails if it rejects a larger share of the clips."""
    shard_clips: AtLeastOne = 16
    """Average number of clips in a shard."""


@dataclass(frozen=True)
class Pca(Section):
    """Stage pca."""

    components: Annotated[int, Range(1, 136)] = 6
    """PCA coefficients that describe 68 landmarks. Paper: 6."""
    init: str = ""
    """Bundle whose landmark model is used, instead of fitting one. Required by a network that starts from that bundle
    (`atnet.init`, `vgnet.init`). A folder, relative to the project, or `models:/NAME@ALIAS`; empty: fit one."""


@dataclass(frozen=True)
class Mfcc(Section):
    """Stage mfcc."""

    kind: SpeechKind = "mfcc"
    """Input of AT-net. mfcc: 12 coefficients, as in the paper; log_mel: the 26 mel bands they are computed from;
    embedding_mel: 32 mel bands, for `atnet.encoder: embedding`."""
    normalise: Normalisation = "none"
    """adaptive: by a running mean and deviation that start from those of the training split; clip: by the mean and
    deviation of the clip, in `generate` of the whole speech; none: no normalisation."""
    init: str = ""
    """Bundle whose initial statistics `adaptive` uses. Required by a network that starts from that bundle
    (`atnet.init`). A folder, relative to the project, or `models:/NAME@ALIAS`; empty: those of the training split."""
    window: Annotated[float, Range(0.01, 0.1, unit="seconds")] = 0.025
    """Length of the analysis window of one row of features, in seconds."""
    variants: Annotated[int, Range(0, 100, note="0: none")] = 0
    """Augmented versions of the sound of every training clip. AT-net trains on one of them or on the original sound by
    turns."""
    gain: Annotated[float, Range(0, 40, unit="dB")] = 10.0
    """Largest change of a variant's level, in dB."""
    noise: Annotated[float, Range(0, 10, unit="times the speech", note="0: none")] = 0.3
    """Largest level of a variant's noise, as a multiple of the speech's level. Levels are drawn from there down to 30
    dB less, as is the colour of the noise. 0: no noise."""
    pitch: Annotated[float, Range(0, 12, unit="semitones")] = 3.0
    """Largest change of a variant's pitch, in semitones."""
    rate: Annotated[float, Range(0, 0.5)] = 0.15
    """Largest change of a variant's speed, as a share; the lips follow."""
    room: Annotated[float, Range(0, 1, note="0: none")] = 0.0
    """Largest energy of a variant's echo, as a share of the speech's. 0: no echo."""
    band: Annotated[float, Range(0, 20, unit="dB", note="0: none")] = 0.0
    """Largest change of a variant's frequency response, in dB, as another microphone makes it. 30% of the variants also
    lack the lowest and the highest frequencies, like a telephone. 0: no change."""
    shard_clips: AtLeastOne = 16
    """Average number of clips in a shard."""


@dataclass(frozen=True)
class Evaluate(Section):
    """Stage evaluate."""

    max_clips: Annotated[int, Range(0, note="0: all")] = 0
    """Largest number of test clips, drawn with the seed; 0: all."""
    videos: Count = 4
    """Test clips shown as side-by-side videos and picture strips: the worst, the best and the median one by LMD, then
    others."""
    protocol: Protocol = "full"
    """full: whole clips from their first frame; paper: windows of 16 frames from a frame outside them; cross: whole
    clips from another speaker's picture, by the metrics that need no real video (`pipeline.evaluation.protocols`)."""
    published: str = ""
    """Folder of the published weights, as `atvgnet import-upstream` writes them, relative to the project, such as
    models/published; adds a row for them. Empty: no such row."""


@dataclass(frozen=True)
class Studies(Section):
    """The studies, which `dvc repro -R studies` runs."""

    clips: Annotated[int, Range(0, note="0: all")] = 8
    """Number of test clips, drawn with the seed; 0: all."""


@dataclass(frozen=True)
class Params(Section):
    """All of params.yaml."""

    seed: Annotated[int, Range(0, 2**31 - 1)] = 0
    corpus: str = "sample"
    corpora: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The sections of all corpora as they are in the file; `pipeline.corpora.registry` checks them."""
    extract: Extract = field(default_factory=Extract)
    landmarks: Landmarks = field(default_factory=Landmarks)
    pca: Pca = field(default_factory=Pca)
    mfcc: Mfcc = field(default_factory=Mfcc)
    atnet: AtNetParams = field(default_factory=AtNetParams)
    vgnet: VgNetParams = field(default_factory=VgNetParams)
    evaluate: Evaluate = field(default_factory=Evaluate)
    studies: Studies = field(default_factory=Studies)

    def __post_init__(self) -> None:
        """Raise ValueError for speech features that AT-net's encoder does not read."""
        super().__post_init__()
        kind, encoder = self.mfcc.kind, self.atnet.encoder
        require(
            (kind == "embedding_mel") == (encoder == "embedding"),
            f"mfcc.kind {kind} does not fit atnet.encoder {encoder}; embedding_mel and embedding go together",
        )
        require(
            encoder != "embedding" or self.mfcc.normalise == "none",
            "atnet.encoder embedding was trained on speech that is not normalised; set mfcc.normalise to none",
        )
