"""params.yaml as frozen dataclasses (read by pipeline/config/file.py).

Every field's docstring says what it does; every section is what one stage depends on (see dvc.yaml). The section of a
corpus is described in the corpus's own file (`pipeline/corpora/`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pipeline.config.training import AtNetParams, VgNetParams

FaceRule = Literal["prominent", "largest", "central", "left", "right"]
WhichFace = FaceRule | int
"""A rule, or the number of a face in a picture, counted from the left, from 1."""
SpeechKind = Literal["mfcc", "log_mel"]
Normalisation = Literal["none", "clip", "adaptive"]
Protocol = Literal["full", "paper", "cross"]


def require(condition: bool, message: str) -> None:
    """Raise the ValueError that `pipeline.config.file` turns into a message with the key in front."""
    if not condition:
        raise ValueError(message)


@dataclass(frozen=True)
class Extract:
    """Stage extract."""

    min_frames: int = 20
    """Clips with fewer frames at 25 fps are rejected; training needs 17."""
    max_damaged: float = 0.1
    """Clips with more lost or concealed frames, as a share of all, are rejected."""
    min_level: float = -60.0
    """Clips whose sound has a lower level are rejected: dB below full scale (0 is a full-scale square wave, -120
    digital silence). Speech is seldom under -40."""
    max_length_difference: float = 0.5
    """Clips whose sound is shorter or longer than the picture by more seconds are rejected. Sound that goes on counts
    up to 1 s, so from 1.0 on only sound that is too short does."""
    max_lost: float = 0.2
    """The stage fails when more than this share of the clips is rejected."""
    time_limit: float = 60.0
    """Seconds without a frame or a block of sound after which a clip whose decoder hangs is timed out; 0: never. The
    stage landmarks keeps to it too."""
    shard_clips: int = 16
    """Clips per shard on average."""

    def __post_init__(self) -> None:
        require(
            self.min_frames >= 17, "min_frames must be at least 17: 16 frames to train on and a reference outside them"
        )
        require(0 <= self.max_damaged <= 1, "max_damaged must be a share from 0 to 1")
        require(-120 <= self.min_level <= 0, "min_level must be -120 (keeps silence) to 0 dB")
        require(self.max_length_difference > 0, "max_length_difference must be above 0 seconds")
        require(0 <= self.max_lost <= 1, "max_lost must be a share from 0 to 1")
        require(self.time_limit >= 0, "time_limit must be 0 (none) or more seconds")
        require(self.shard_clips >= 1, "shard_clips must be at least 1")


@dataclass(frozen=True)
class Landmarks:
    """Stage landmarks."""

    detect_every: int = 37
    """The face is detected again every so many frames, and between them only where it moves fast or is lost."""
    face: FaceRule = "prominent"
    """Whose clip it is where several faces are seen: the large and central one, the largest, the most central, the left
    or the right one; always the steadiest of such."""
    alignment: Literal["clip", "frame"] = "clip"
    """clip: one scale, rotation and position smoothed over time; frame: each frame on its own, as the original."""
    smoothing: float = 0.2
    """Seconds of the Gaussian that smooths the alignment over a clip."""
    size: Literal[128, 256] = 128
    """Side in pixels of the face crops, and of all that the networks generate. 256 asks for videos with as many pixels
    behind a face, and costs time and memory (docs/training.md). Paper: 128. What the limits below call crop pixels are
    those of a 128x128 crop always, so a clip is judged the same."""
    jpeg_quality: int = 95
    """Of the stored face crops."""
    min_detected: float = 0.8
    """Clips whose face is found in a smaller share of the frames are rejected."""
    min_score: float = 0.5
    """Clips with a lower mean score of the detector are rejected: whole faces have 0.8 to 4, parts of them less."""
    min_face_size: float = 64.0
    """Clips with fewer source pixels behind a side of the crop are rejected; 64 is an enlargement by two, at size 256
    by four."""
    max_jitter: float = 1.0
    """Clips whose points shake more, in crop pixels, are rejected: lips move a pixel or two from frame to frame."""
    min_sharpness: float = 0.02
    """Clips with less sharp faces are rejected; real ones lie above 0.06, blurred by 1.5 crop pixels under 0.025."""
    min_mouth: float = 0.8
    """Clips whose mouth shows in a smaller share of the frames are rejected."""
    min_frontal: float = 0.05
    """Clips with less frontal faces are rejected: 1 is frontal, at 0 the nose hides a corner of the mouth."""
    max_cuts: int = 0
    """Clips within which more new shots begin are rejected, whoever is seen in them."""
    max_identity: float = 0.5
    """Clips whose faces are less alike are rejected, by the distance of dlib's descriptors: one person has up to 0.44,
    two have 0.5 and more, which are compared only where something gives a reason to."""
    min_movement: float = 0.18
    """Clips whose mouth changes its shape less, in crop pixels, are rejected: speech has 0.25 and more, a still picture
    up to 0.13."""
    min_sync: float = 0.2
    """Clips whose sound and lips go together less, as a correlation, are rejected: real ones have 0.26 and more. Told
    only from 2 s on, with pauses in the speech."""
    max_lost: float = 0.3
    """The stage fails when more than this share of the clips is rejected."""
    shard_clips: int = 16
    """Clips per shard on average."""

    def __post_init__(self) -> None:
        require(self.detect_every >= 1, "detect_every must be at least 1")
        require(0 <= self.smoothing <= 2, "smoothing must be 0 to 2 seconds")
        require(50 <= self.jpeg_quality <= 100, "jpeg_quality must be 50 to 100")
        for share in ("min_detected", "min_mouth", "min_frontal"):
            require(0 <= getattr(self, share) <= 1, f"{share} must be 0 (keeps all) to 1")
        for least in ("min_score", "min_face_size", "min_sharpness", "min_movement"):
            require(getattr(self, least) >= 0, f"{least} must be 0 (keeps all) or more")
        require(self.max_jitter > 0, "max_jitter must be above 0 pixels")
        require(self.max_cuts >= 0, "max_cuts must be 0 or more")
        require(self.max_identity > 0, "max_identity must be above 0 (2 keeps all)")
        require(-1 <= self.min_sync <= 1, "min_sync must be -1 (keeps all) to 1")
        require(0 <= self.max_lost <= 1, "max_lost must be a share from 0 to 1")
        require(self.shard_clips >= 1, "shard_clips must be at least 1")


@dataclass(frozen=True)
class Pca:
    """Stage pca."""

    components: int = 6
    """Coefficients that describe a set of 68 landmarks; the paper has 6."""
    init: str = ""
    """The bundle whose landmark model is taken over, as a network needs that starts from it (`atnet.init`,
    `vgnet.init`): a folder, relative to the project, or `models:/NAME@ALIAS`; empty fits one."""

    def __post_init__(self) -> None:
        require(1 <= self.components <= 136, "components must be 1 to 136")


@dataclass(frozen=True)
class Mfcc:
    """Stage mfcc."""

    kind: SpeechKind = "mfcc"
    """What AT-net hears: mfcc, 12 coefficients, the paper's; log_mel, the 26 mel bands that they are made from."""
    normalise: Normalisation = "none"
    """adaptive: by a running mean and deviation, which start from those of the training split; clip: by the mean and
    deviation of the clip, or of all the speech that is given to `generate`; none: not."""
    init: str = ""
    """The bundle whose initial statistics `adaptive` takes over, as a network needs that starts from it
    (`atnet.init`): a folder, relative to the project, or `models:/NAME@ALIAS`; empty counts the training split."""
    window: float = 0.025
    """Seconds of speech behind one row."""
    variants: int = 0
    """Changed versions of every training clip's sound, of which AT-net trains on one or the sound itself by turns."""
    gain: float = 10.0
    """dB by which a variant is louder or softer at most."""
    noise: float = 0.3
    """Level of a variant's noise, of a drawn colour, as a share of the speech's at most, and 30 dB below at least; 0:
    none."""
    pitch: float = 3.0
    """Semitones by which a variant's voice is higher or lower at most."""
    rate: float = 0.15
    """Share by which a variant is faster or slower at most, the lips with it."""
    shard_clips: int = 16
    """Clips per shard on average."""

    def __post_init__(self) -> None:
        require(0.01 <= self.window <= 0.1, "window must be 0.01 to 0.1 seconds")
        require(0 <= self.variants <= 100, "variants must be 0 (none) to 100")
        require(0 <= self.gain <= 40, "gain must be 0 to 40 dB")
        require(0 <= self.noise <= 10, "noise must be 0 (none) to 10 times the speech")
        require(0 <= self.pitch <= 12, "pitch must be 0 to 12 semitones")
        require(0 <= self.rate <= 0.5, "rate must be a share from 0 to 0.5")
        require(self.shard_clips >= 1, "shard_clips must be at least 1")


@dataclass(frozen=True)
class Evaluate:
    """Stage evaluate."""

    max_clips: int = 0
    """At most so many test clips, drawn with the seed; 0: all."""
    videos: int = 4
    """Test clips shown as side-by-side videos and picture strips: the worst, the best and the median one by LMD, then
    others.
    """
    protocol: Protocol = "full"
    """full: whole clips from their first frame; paper: windows of 16 frames from a frame outside them; cross: whole
    clips from another speaker's picture, by the metrics that need no real one (`pipeline.evaluation.protocols`)."""

    published: str = ""
    """The published weights as `atvgnet import-upstream` wrote them, a folder, relative to the project, such as
    models/published: a row of their own beside the models. Empty: no such row."""

    def __post_init__(self) -> None:
        require(self.max_clips >= 0, "max_clips must be 0 (all) or more")
        require(self.videos >= 0, "videos must be 0 or more")


@dataclass(frozen=True)
class Studies:
    """The studies, which run when asked: `dvc repro -R studies`."""

    clips: int = 8
    """So many test clips, drawn with the seed; 0: all."""

    def __post_init__(self) -> None:
        require(self.clips >= 0, "clips must be 0 (all) or more")


@dataclass(frozen=True)
class Params:
    """All of params.yaml."""

    seed: int = 0
    corpus: str = "sample"
    corpora: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The sections of all corpora, as they stand in the file: `pipeline.corpora.registry` knows what they may hold."""
    extract: Extract = field(default_factory=Extract)
    landmarks: Landmarks = field(default_factory=Landmarks)
    pca: Pca = field(default_factory=Pca)
    mfcc: Mfcc = field(default_factory=Mfcc)
    atnet: AtNetParams = field(default_factory=AtNetParams)
    vgnet: VgNetParams = field(default_factory=VgNetParams)
    evaluate: Evaluate = field(default_factory=Evaluate)
    studies: Studies = field(default_factory=Studies)

    def __post_init__(self) -> None:
        require(0 <= self.seed < 2**31, "seed must be 0 to 2147483647")
