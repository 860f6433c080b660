"""One clip by all systems: read, cut, seen, heard and measured."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.corpora.alignment import find_alignment, read_alignment
from pipeline.evaluation.results import A_FRAGMENT
from pipeline.evaluation.score.crops import TIME_LIMIT, Crops, NotScored, crop_fake, crop_real, told
from pipeline.evaluation.score.pairs import PICTURES, Pair
from pipeline.evaluation.score.steady import observe_steady
from pipeline.faces.align import align
from pipeline.faces.crop import SIZE, crop_face, to_crop
from pipeline.faces.select import choose_face
from pipeline.media import probe, read_audio, read_frames
from pipeline.media.picture import read_picture
from pipeline.metrics import METRICS
from pipeline.metrics.compute import MetricValues, compute_metrics, lmd_by_part
from pipeline.metrics.observe import AudioTrack, VideoFeatures, describe_face, hear, observe
from pipeline.metrics.transcript import Transcript, transcribe
from pipeline.runtime.clock import FPS
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.time_limit import within

GROUND_TRUTH = "ground_truth"
"""The method of the real videos, measured against themselves."""
FRAGMENT = 0.25
"""The share of the longer video's frames below which what both have is no clip, and is not scored."""


@dataclass(frozen=True)
class Scored:
    """A clip by one method: a row of clips.csv, and the metrics that it has not, with reasons."""

    row: dict[str, Any]
    absent: dict[str, str]
    parts: dict[str, float] = field(default_factory=dict)
    """The deciding metric by word and by class of phoneme."""

    def as_json(self) -> dict[str, Any]:
        """Plain data, from which `Scored(**data)` makes it again."""
        return asdict(self)


def score_clip(pair: Pair, size: int = SIZE) -> list[Scored]:
    """Measure a clip by every system, and the real one against itself. Runs in worker processes.

    What cannot be measured has a row with the reason, and no metric.
    """
    cv2.setNumThreads(0)
    try:
        real = _Real(pair, size) if pair.real else None
    except PipelineError:
        raise
    except Exception as error:
        return [_failed(pair, method, error) for method in (GROUND_TRUTH, *pair.fakes)]
    scored = [real.against_itself()] if real else []
    for method, path in pair.fakes.items():
        try:
            if isinstance(path, str):
                raise NotScored(path)
            scored.append(_score_fake(pair, method, path, real, size))
        except PipelineError:  # such as weights of a metric that are not what they are said to be
            raise
        except Exception as error:  # one odd file does not stop the others
            scored.append(_failed(pair, method, error))
    return scored


class _Real:
    """The real video of a clip."""

    def __init__(self, pair: Pair, size: int) -> None:
        assert pair.real is not None
        self.pair, self.path = pair, pair.real
        self.crops = crop_real(pair.real, size)
        self.seen = replace(observe(self.crops.frames_THWC), shown_THW=self.crops.shown())
        self.reference, self.note = _reference(pair, self.seen)
        self.said = known_words(pair.real, len(self.crops.frames_THWC))

    def against_itself(self) -> Scored:
        frames = len(self.crops.frames_THWC)
        heard, sound = _hear(self.path, None, frames, self.said)
        found = compute_metrics(self.seen, self.seen, self.reference, heard)
        notes = [_rate(self.path), self.note]
        parts = lmd_by_part(self.seen, self.seen, self.said)
        return _scored(self.pair, GROUND_TRUTH, found, frames, self.crops, sound, notes, parts)


def _score_fake(pair: Pair, method: str, path: Path, real: _Real | None, size: int) -> Scored:
    crops = crop_fake(path, real.crops if real else None, size)
    there, wanted = len(crops.frames_THWC), len(real.crops.frames_THWC) if real else len(crops.frames_THWC)
    frames = min(there, wanted)
    if frames < FRAGMENT * max(there, wanted):
        raise NotScored(f"{A_FRAGMENT}: {there} frames, the real video {wanted}", there)
    seen = observe_steady(crops.first(frames))
    reference, note = (real.reference, real.note) if real else _reference(pair, seen)
    heard, sound = _hear(path, real.path if real else None, frames, real.said if real else Transcript())
    target = real.seen.first(frames) if real else None
    found = compute_metrics(target, seen, reference, heard)
    parts = lmd_by_part(target, seen, real.said.cut(slice(frames))) if real and target else {}
    unequal = f"{there} frames, the real video {wanted}" if there != wanted else ""
    notes = [_rate(path), unequal, note]
    return _scored(pair, method, found, frames, crops, sound, notes, parts, _shown(target, seen) if target else None)


def _shown(real: VideoFeatures, fake: VideoFeatures) -> float:
    """The share of what the real video shows of its crops that the generated one shows too, 0 to 1."""
    if real.shown_THW is None or fake.shown_THW is None:
        return 1.0
    return float((real.shown_THW & fake.shown_THW).sum() / max(1, real.shown_THW.sum()))


def _scored(
    pair: Pair,
    method: str,
    found: MetricValues,
    frames: int,
    crops: Crops,
    sound: str,
    notes: list[str],
    parts: dict[str, float],
    shown: float | None = 1.0,
) -> Scored:
    """``shown`` is the share of the real face's crop that is compared; None without a real video."""
    about = {
        "frames": frames,
        "aligned": crops.aligned,
        "shown": "" if shown is None else round(shown, 3),
        "sound": sound,
        "note": "; ".join(filter(None, notes)),
    }
    return Scored({**_names(pair, method), **about, "reason": "", **found.values}, found.absent, parts)


def _failed(pair: Pair, method: str, error: Exception) -> Scored:
    """A row with the reason, and no metric."""
    reason = str(error) if isinstance(error, NotScored) else told(error)
    frames = error.frames if isinstance(error, NotScored) else 0
    about = {"frames": frames, "aligned": "", "shown": "", "sound": "", "note": "", "reason": reason}
    return Scored({**_names(pair, method), **about}, dict.fromkeys(METRICS, reason))


def _names(pair: Pair, method: str) -> dict[str, str]:
    return {"id": pair.id, "speaker": pair.speaker, "seen": "", "method": method}


def _rate(path: Path) -> str:
    """What there is to say of a rate other than 25 frames per second."""
    try:
        fps = probe(path).fps
    except Exception:  # its frames could be read; where they could not, that is the reason
        return ""
    return f"{fps:.4g} frames per second, resampled to {FPS}" if abs(fps - FPS) > 0.01 else ""


def known_words(path: Path, frames: int) -> Transcript:
    """What is said in each frame of a real video that has an alignment as GRID's."""
    alignment = find_alignment(path)
    return transcribe(read_alignment(alignment) if alignment else (), frames)


def _hear(own: Path, other: Path | None, frames: int, spoken: Transcript) -> tuple[AudioTrack | None, str]:
    """The sound of the video ``own``, else of ``other``, and whose it is."""
    for path, whose in ((own, "own"), (other, "real")):
        if path is not None:
            try:
                samples = within(TIME_LIMIT, lambda one: read_audio(one, duration=frames / FPS), path)
            except Exception:  # also of a decoder: there is no sound to hear
                continue
            return hear(samples, frames, spoken.cut(slice(frames)).phonemes_T), whose
    return None, "none"


def _reference(pair: Pair, seen: VideoFeatures) -> tuple[NDArray[np.float32], str]:
    """The face descriptor of the clip's picture, or of the first frame that is seen of it, and what there is to say."""
    first = describe_face(seen.frames_THWC[0], seen.points_T68x2[0])
    if pair.reference is None:
        return first, ""
    try:
        image = next(iter(_pictures(pair.reference)))
    except Exception:
        return first, "the reference picture cannot be read"
    choice = choose_face(image)
    if choice is None:
        return first, "the reference picture shows no face"
    transform = align(choice.points_68x2[None], per_frame=True, smoothing=0.0)
    return describe_face(crop_face(image, transform[0]), to_crop(choice.points_68x2[None], transform)[0]), ""


def _pictures(path: Path) -> Iterator[NDArray[np.uint8]]:
    return iter([read_picture(path)]) if path.suffix.lower() in PICTURES else read_frames(path)
