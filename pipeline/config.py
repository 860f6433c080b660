"""params.yaml as frozen dataclasses, checked on load with errors that name the key.

Every field's docstring says what it does; every section is what one stage depends on (see dvc.yaml).
"""

import contextlib
import dataclasses
import json
import math
import types
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from pipeline.errors import PipelineError
from pipeline.training.params import AtNetParams, VgNetParams

CorpusName = Literal["sample", "grid", "lrw", "folder"]
FaceRule = Literal["prominent", "largest", "central", "left", "right"]


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


def _shares(val: float, test: float) -> None:
    _require(
        0 < val < 1 and 0 < test < 1 and val + test < 1,
        "val and test are shares above 0 that leave a rest for training",
    )


@dataclass(frozen=True)
class SampleCorpus:
    """The procedural corpus that ships with the project."""

    speakers: int = 8
    """How many speakers, 1 to 34; they differ in voice and face."""
    sentences: int = 9
    """Sentences a speaker says; no sentence comes twice in the corpus."""
    seed: int = 0
    """Another seed gives other sentences, voices and faces."""

    def __post_init__(self) -> None:
        _require(1 <= self.speakers <= 34, "speakers must be 1 to 34")
        _require(
            3 <= self.sentences <= 1000, "sentences must be 3 to 1000: one at least for each of train, val and test"
        )


@dataclass(frozen=True)
class GridCorpus:
    """The GRID audiovisual sentence corpus, as its archives unpack."""

    root: str = "data/raw/grid"
    """The folder that holds s1, s2, ...; absolute, or relative to the project."""
    split_by: Literal["clip", "speaker"] = "clip"
    """clip: every speaker in every split, unseen sentences; speaker: unseen people."""
    val: float = 0.1
    """Share of the clips (or speakers) for validation."""
    test: float = 0.1
    """Share of the clips (or speakers) for the test."""
    speakers: tuple[str, ...] = ()
    """Only these speakers, such as [s1, s29]; empty: all."""
    max_clips: int = 0
    """At most so many clips, drawn evenly over the speakers; 0: all."""

    def __post_init__(self) -> None:
        _shares(self.val, self.test)
        _require(self.max_clips >= 0, "max_clips must be 0 (all) or more")


@dataclass(frozen=True)
class LrwCorpus:
    """Lip Reading in the Wild, as its archives unpack; it brings its own split."""

    root: str = "data/raw/lrw"
    """The folder that holds lipread_mp4, or that folder itself."""
    words: tuple[str, ...] = ()
    """Only these words; empty: all."""
    max_clips: int = 0
    """At most so many clips, drawn evenly over the words; 0: all."""

    def __post_init__(self) -> None:
        _require(self.max_clips >= 0, "max_clips must be 0 (all) or more")


@dataclass(frozen=True)
class FolderCorpus:
    """A folder of one's own videos, of any length, container and frame rate."""

    root: str = "data/raw/folder"
    """The folder; searched with its subfolders."""
    clip_seconds: float = 3.0
    """Videos are cut into clips of so many seconds."""
    val: float = 0.1
    """Share for validation."""
    test: float = 0.1
    """Share for the test."""

    def __post_init__(self) -> None:
        _shares(self.val, self.test)
        _require(1.0 <= self.clip_seconds <= 60.0, "clip_seconds must be 1 to 60")


@dataclass(frozen=True)
class Corpora:
    """Where each corpus lies and how it is split; only the section of the chosen corpus counts."""

    sample: SampleCorpus = field(default_factory=SampleCorpus)
    grid: GridCorpus = field(default_factory=GridCorpus)
    lrw: LrwCorpus = field(default_factory=LrwCorpus)
    folder: FolderCorpus = field(default_factory=FolderCorpus)


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
    """Seconds without a frame or a block of sound after which a clip whose decoder hangs is given up; 0: never. The
    stage landmarks keeps to it too."""
    shard_clips: int = 16
    """Clips a shard."""

    def __post_init__(self) -> None:
        _require(
            self.min_frames >= 17, "min_frames must be at least 17: 16 frames to train on and an example outside them"
        )
        _require(0 <= self.max_damaged <= 1, "max_damaged must be a share from 0 to 1")
        _require(-120 <= self.min_level <= 0, "min_level must be -120 (keeps silence) to 0 dB")
        _require(self.max_length_difference > 0, "max_length_difference must be above 0 seconds")
        _require(0 <= self.max_lost <= 1, "max_lost must be a share from 0 to 1")
        _require(self.time_limit >= 0, "time_limit must be 0 (none) or more seconds")
        _require(self.shard_clips >= 1, "shard_clips must be at least 1")


@dataclass(frozen=True)
class Landmarks:
    """Stage landmarks."""

    detect_every: int = 37
    """The face is detected anew every so many frames, and between them only where it moves fast or is lost."""
    face: FaceRule = "prominent"
    """Whose clip it is where several faces are seen: the large and central one, the largest, the most central, the left
    or the right one; always the steadiest of such."""
    alignment: Literal["clip", "frame"] = "clip"
    """clip: one scale, rotation and position smoothed over time; frame: each frame on its own, as the original."""
    smoothing: float = 0.2
    """Seconds of the Gaussian that smooths the alignment over a clip."""
    jpeg_quality: int = 95
    """Of the stored 128x128 face crops."""
    min_detected: float = 0.8
    """Clips whose face is found in a smaller share of the frames are rejected."""
    min_score: float = 0.5
    """Clips with a lower mean score of the detector are rejected: whole faces have 0.8 to 4, parts of them less."""
    min_face_size: float = 64.0
    """Clips with fewer source pixels behind a side of the 128x128 crop are rejected; 64 is an enlargement by two."""
    max_jitter: float = 1.0
    """Clips whose points shake more, in crop pixels, are rejected: lips move a pixel or two from frame to frame."""
    min_sharpness: float = 0.02
    """Clips with less sharp faces are rejected; real ones lie above 0.06, blurred by 1.5 crop pixels under 0.025."""
    min_mouth: float = 0.8
    """Clips whose mouth shows in a smaller share of the frames are rejected."""
    min_frontal: float = 0.05
    """Clips with less frontal faces are rejected: 1 is frontal, at 0 the nose hides a corner of the mouth."""
    max_lost: float = 0.3
    """The stage fails when more than this share of the clips is rejected."""
    shard_clips: int = 16
    """Clips a shard."""

    def __post_init__(self) -> None:
        _require(self.detect_every >= 1, "detect_every must be at least 1")
        _require(0 <= self.smoothing <= 2, "smoothing must be 0 to 2 seconds")
        _require(50 <= self.jpeg_quality <= 100, "jpeg_quality must be 50 to 100")
        for share in ("min_detected", "min_mouth", "min_frontal"):
            _require(0 <= getattr(self, share) <= 1, f"{share} must be 0 (keeps all) to 1")
        for least in ("min_score", "min_face_size", "min_sharpness"):
            _require(getattr(self, least) >= 0, f"{least} must be 0 (keeps all) or more")
        _require(self.max_jitter > 0, "max_jitter must be above 0 pixels")
        _require(0 <= self.max_lost <= 1, "max_lost must be a share from 0 to 1")
        _require(self.shard_clips >= 1, "shard_clips must be at least 1")


@dataclass(frozen=True)
class Pca:
    """Stage pca."""

    components: int = 6
    """Coefficients that describe a set of 68 landmarks; the paper has 6."""

    def __post_init__(self) -> None:
        _require(1 <= self.components <= 136, "components must be 1 to 136")


@dataclass(frozen=True)
class Mfcc:
    """Stage mfcc."""

    window: float = 0.025
    """Seconds of speech behind one row."""
    shard_clips: int = 16
    """Clips a shard."""

    def __post_init__(self) -> None:
        _require(0.01 <= self.window <= 0.1, "window must be 0.01 to 0.1 seconds")
        _require(self.shard_clips >= 1, "shard_clips must be at least 1")


@dataclass(frozen=True)
class Evaluate:
    """Stage evaluate."""

    max_clips: int = 0
    """At most so many test clips, drawn with the seed; 0: all."""
    videos: int = 4
    """Test clips shown as side-by-side videos and picture strips."""

    def __post_init__(self) -> None:
        _require(self.max_clips >= 0, "max_clips must be 0 (all) or more")
        _require(self.videos >= 0, "videos must be 0 or more")


@dataclass(frozen=True)
class Params:
    """All of params.yaml."""

    seed: int = 0
    corpus: CorpusName = "sample"
    corpora: Corpora = field(default_factory=Corpora)
    extract: Extract = field(default_factory=Extract)
    landmarks: Landmarks = field(default_factory=Landmarks)
    pca: Pca = field(default_factory=Pca)
    mfcc: Mfcc = field(default_factory=Mfcc)
    atnet: AtNetParams = field(default_factory=AtNetParams)
    vgnet: VgNetParams = field(default_factory=VgNetParams)
    evaluate: Evaluate = field(default_factory=Evaluate)

    def __post_init__(self) -> None:
        _require(0 <= self.seed < 2**31, "seed must be 0 to 2147483647")


def load_params(path: Path) -> Params:
    """Read and check ``path``: params.yaml, or a ``.json`` of it, as `dump_params` makes, for machines without PyYAML.

    Raises PipelineError naming the file or the key: a file that is missing or no YAML, a key that is unknown (with the
    nearest known one), missing, of a wrong type or out of its range.
    """
    if path.suffix == ".json":
        return _build(Params, _read_json(path), "")
    import yaml

    if not path.exists():
        raise PipelineError(
            f"{path} is missing. Run from the project's folder, or restore it with `git checkout {path}`."
        )
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise PipelineError(f"{path} is no valid YAML: {error}. Mend that line.") from error
    return _build(Params, tree, "")


def dump_params(params: Params) -> str:
    """All params as JSON, which `load_params` reads back."""
    return json.dumps(dataclasses.asdict(params), indent=2)


def _read_json(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise PipelineError(
            f"{path} is missing. Write it with `atvgnet params > {path.name}` where the whole environment is "
            "installed, and copy it into the project's folder here."
        ) from error
    except ValueError as error:
        raise PipelineError(f"{path} is no valid JSON: {error}. Write it anew with `atvgnet params`.") from error


T = TypeVar("T")


def _build(kind: type[T], tree: object, where: str) -> T:
    if not isinstance(tree, dict):
        raise PipelineError(f"{where or 'params.yaml'} must be a section of keys, not {tree!r}. Restore its keys.")
    hints = typing.get_type_hints(kind)
    for key in tree:
        if key not in hints:
            raise PipelineError(f"{_join(where, key)} is no param. {_advice(str(key), list(hints))}")
    values = {}
    for name, hint in hints.items():
        if name not in tree:
            raise PipelineError(f"{_join(where, name)} is missing from params.yaml. Add it; {_described(hint)}.")
        values[name] = _value(hint, tree[name], _join(where, name))
    try:
        return kind(**values)
    except ValueError as error:
        raise PipelineError(f"{_join(where, error)}. Change it in params.yaml or with -S.") from error


def _join(where: str, key: object) -> str:
    return f"{where}.{key}" if where else str(key)


def _advice(key: str, known: list[str]) -> str:
    import difflib

    near = difflib.get_close_matches(key, known, n=1)
    return f"Did you mean {near[0]}?" if near else f"Known here: {', '.join(known)}."


def _value(hint: Any, value: object, where: str) -> Any:
    if dataclasses.is_dataclass(hint):
        return _build(typing.cast(type, hint), value, where)
    origin = typing.get_origin(hint)
    if origin is Literal:
        known = typing.get_args(hint)
        if value not in known:
            text = "" if not isinstance(value, str) else " " + _advice(value, [str(one) for one in known])
            raise PipelineError(f"{where} is {value!r}; it must be one of {', '.join(map(str, known))}.{text}")
        return value
    if origin is tuple:
        (inner, _) = typing.get_args(hint)
        if not isinstance(value, list):
            raise PipelineError(f"{where} is {value!r}; it must be a list, such as [a, b] or [].")
        return tuple(_value(inner, one, f"{where}[{number}]") for number, one in enumerate(value))
    if origin is types.UnionType or origin is typing.Union:
        if value is None:
            return None
        (hint,) = (one for one in typing.get_args(hint) if one is not type(None))
        return _value(hint, value, where)
    return _scalar(hint, value, where)


def _scalar(hint: type, value: object, where: str) -> object:
    if hint is float and isinstance(value, str):
        # YAML 1.1 reads 2e-4 as text, YAML 1.2 (DVC's own loader) as a number; it is the number to us too.
        with contextlib.suppress(ValueError):
            value = float(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not hint or (isinstance(value, float) and not math.isfinite(value)):
        raise PipelineError(f"{where} is {value!r}; it must be {_described(hint)}.")
    return value


def _described(hint: Any) -> str:
    names = {int: "a whole number", float: "a number, such as 0.5 or 2e-4", str: "a text", bool: "true or false"}
    return names.get(hint, "see params.yaml in the repository's last commit")
