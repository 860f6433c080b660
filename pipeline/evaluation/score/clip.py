"""One clip by all systems: cut, observed and measured."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.corpora.alignment import find_alignment, read_alignment
from pipeline.evaluation.baselines.base import GROUND_TRUTH
from pipeline.evaluation.results import A_FRAGMENT
from pipeline.evaluation.score.crops import TIME_LIMIT, Crops, NotScored, crop_fake, crop_real, decoder_error
from pipeline.evaluation.score.folders import PICTURES
from pipeline.evaluation.score.pairs import Pair
from pipeline.evaluation.score.steady import observe_steady
from pipeline.evaluation.tables import ClipResult
from pipeline.faces.align import align
from pipeline.faces.crop import SIZE, crop_face, to_crop
from pipeline.faces.select import choose_face
from pipeline.media import probe, read_audio, read_frames
from pipeline.media.picture import read_picture
from pipeline.metrics import METRICS
from pipeline.metrics.compute import compute_metrics, lmd_by_part
from pipeline.metrics.observe import AudioTrack, VideoFeatures, describe_face, hear, observe
from pipeline.metrics.transcript import Transcript, transcribe
from pipeline.runtime.clock import FPS
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.time_limit import within

MIN_SHARE = 0.25
"""Share of the longer video's frames that both videos must have; less is a fragment and not scored."""


def score_clip(pair: Pair, size: int = SIZE) -> list[ClipResult]:
    """Measure the real video against itself, and every system's video against the real one.

    A video that cannot be measured has a row with the reason and without metrics. Runs in worker processes.
    """
    cv2.setNumThreads(0)
    try:
        real = _read_real(pair, pair.real, size) if pair.real else None
    except PipelineError:
        raise
    except Exception as error:
        without_real = NotScored(f"the real video: {_reason(error)}")
        return [_not_scored(pair, GROUND_TRUTH, error), *(_not_scored(pair, fake, without_real) for fake in pair.fakes)]
    scored = [_score_real(pair, real)] if real else []
    for method, fake in pair.fakes.items():
        try:
            if fake.path is None:
                raise NotScored(fake.reason)
            if real:
                scored.append(_score_fake(pair, method, fake.path, real, size))
            else:
                scored.append(_score_alone(pair, method, fake.path, size))
        except PipelineError:  # a mistake of the user, such as wrong weights of a metric
            raise
        except Exception as error:  # one odd file does not stop the others
            scored.append(_not_scored(pair, method, error))
    return scored


@dataclass(frozen=True)
class _Real:
    """The real video of a clip; ``note`` is a remark on its reference picture."""

    path: Path
    crops: Crops
    features: VideoFeatures
    reference_128: NDArray[np.float32]
    note: str
    transcript: Transcript


def _read_real(pair: Pair, path: Path, size: int) -> _Real:
    crops = crop_real(path, size)
    features = replace(observe(crops.frames_THWC), shown_THW=crops.shown())
    reference_128, note = _reference(pair, features)
    return _Real(path, crops, features, reference_128, note, known_words(path, len(crops.frames_THWC)))


def _score_real(pair: Pair, real: _Real) -> ClipResult:
    sound, features = {"own": real.path}, real.features
    about = {"aligned": real.crops.aligned, "shown": 1.0}
    face, words = real.reference_128, real.transcript
    return _measure(pair, GROUND_TRUTH, sound, features, features, face, words, [real.note], about)


def _score_alone(pair: Pair, method: str, path: Path, size: int) -> ClipResult:
    """Measure a generated video without a real one."""
    crops = crop_fake(path, None, size)
    features = observe_steady(crops)
    reference_128, note = _reference(pair, features)
    about = {"aligned": crops.aligned}
    return _measure(pair, method, {"own": path}, None, features, reference_128, Transcript(), [note], about)


def _score_fake(pair: Pair, method: str, path: Path, real: _Real, size: int) -> ClipResult:
    """Measure a generated video against the real one, up to the end of the shorter one.

    Raises NotScored for a fragment, and as `crop_fake`.
    """
    whole = crop_fake(path, real.crops, size)
    fake_frames, real_frames = len(whole.frames_THWC), len(real.crops.frames_THWC)
    lengths = f"{fake_frames} frames, the real video {real_frames}"
    frames = min(fake_frames, real_frames)
    if frames < MIN_SHARE * max(fake_frames, real_frames):
        raise NotScored(f"{A_FRAGMENT}: {lengths}", fake_frames)
    target, features = real.features.first(frames), observe_steady(whole.first(frames))
    notes = [lengths if fake_frames != real_frames else "", real.note]
    about = {"aligned": whole.aligned, "shown": round(_shown_share(target, features), 3)}
    sound = {"own": path, "real": real.path}
    return _measure(pair, method, sound, target, features, real.reference_128, real.transcript, notes, about)


def _measure(
    pair: Pair,
    method: str,
    sounds: Mapping[str, Path],
    real: VideoFeatures | None,
    fake: VideoFeatures,
    reference_128: NDArray[np.float32],
    transcript: Transcript,
    notes: list[str],
    about: Mapping[str, Any],
) -> ClipResult:
    """The metrics of a clip; ``sounds["own"]`` is the measured video, and ``about`` has further columns."""
    frames = len(fake.frames_THWC)
    known = transcript.cut(slice(frames))
    audio, sound = _read_sound(sounds, frames, known)
    measured = compute_metrics(real, fake, reference_128, audio)
    note = "; ".join(filter(None, [_frame_rate_note(sounds["own"]), *notes]))
    row = _row(pair, method, frames=frames, sound=sound, note=note, **about)
    return ClipResult(row | measured.values, measured.absent, lmd_by_part(real, fake, known) if real else {})


def _shown_share(real: VideoFeatures, fake: VideoFeatures) -> float:
    """The share, 0 to 1, of the area shown by the real crops that the generated crops show too."""
    if real.shown_THW is None or fake.shown_THW is None:
        return 1.0
    return float((real.shown_THW & fake.shown_THW).sum() / max(1, real.shown_THW.sum()))


def _row(pair: Pair, method: str, **about: Any) -> dict[str, Any]:
    """The columns of clips.csv that are not metrics; columns that are not in ``about`` are empty."""
    names = {"id": pair.id, "speaker": pair.speaker, "seen": "", "method": method}
    empty = {"frames": 0, "aligned": "", "shown": "", "sound": "", "note": "", "reason": ""}
    return names | empty | about


def _not_scored(pair: Pair, method: str, error: Exception) -> ClipResult:
    reason = _reason(error)
    frames = error.frames if isinstance(error, NotScored) else 0
    return ClipResult(_row(pair, method, frames=frames, reason=reason), dict.fromkeys(METRICS, reason))


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, NotScored) else decoder_error(error)


def _frame_rate_note(path: Path) -> str:
    """A remark if the video has another rate than 25 frames per second; else empty."""
    try:
        fps = probe(path).fps
    except Exception:  # the frames could be read, so the clip is scored without a remark
        return ""
    return f"{fps:.4g} frames per second, resampled to {FPS}" if abs(fps - FPS) > 0.01 else ""


def known_words(path: Path, frames: int) -> Transcript:
    """The transcript of a real video's frames; empty if it has no alignment in GRID's layout."""
    alignment = find_alignment(path)
    return transcribe(read_alignment(alignment) if alignment else (), frames)


def _read_sound(sources: Mapping[str, Path], frames: int, transcript: Transcript) -> tuple[AudioTrack | None, str]:
    """The sound of the first video that has any, and the name of this source; ``(None, "none")`` without sound."""
    for name, path in sources.items():
        try:
            samples = within(TIME_LIMIT, lambda video: read_audio(video, duration=frames / FPS), path)
        except Exception:  # decoders of odd files raise anything
            continue
        return hear(samples, frames, transcript.phonemes_T), name
    return None, "none"


def _reference(pair: Pair, features: VideoFeatures) -> tuple[NDArray[np.float32], str]:
    """The face descriptor (128,) of the clip's reference picture, else of the video's first frame, and a remark."""
    first = describe_face(features.frames_THWC[0], features.points_T68x2[0])
    if pair.reference is None:
        return first, ""
    try:
        is_picture = pair.reference.suffix.lower() in PICTURES
        image = read_picture(pair.reference) if is_picture else next(iter(read_frames(pair.reference)))
    except Exception:
        return first, "the reference picture cannot be read"
    choice = choose_face(image)
    if choice is None:
        return first, "the reference picture shows no face"
    points_1x68x2 = choice.points_68x2[None]
    transform = align(points_1x68x2, per_frame=True, smoothing=0.0)
    return describe_face(crop_face(image, transform[0]), to_crop(points_1x68x2, transform)[0]), ""
