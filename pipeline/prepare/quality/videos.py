"""Checks of whole videos, because single clips do not show them: shifted or foreign sound, and two people in turn."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.faces import video_sync
from pipeline.faces.identity import face_descriptor, group_by_person
from pipeline.faces.video_sync import Fit, FitLimits, Signals, spread_evenly
from pipeline.prepare.quality.limits import SEPARATOR
from pipeline.shards.clip_store import ClipStore

log = logging.getLogger(__name__)

FOREIGN = "sound and lips do not go together over the whole video: music, a dubbed voice, or over 1 s apart"
PEOPLE = "two people, one after the other"

MakeSignals = Callable[[NDArray[np.float32], NDArray[np.int16]], Signals]


def fit_clips(store: ClipStore, clips: Sequence[str], make: MakeSignals, limits: FitLimits) -> Fit | None:
    """How well the lips of one recording's clips fit their sound; None for too few clips.

    ``make`` makes the two signals of a clip from its landmarks and its sound.
    """
    chosen = [clip for clip in spread_evenly(clips) if store.found(clip).mean() >= 0.5]
    return video_sync.fit_video([make(store.points(clip), store.samples(clip)) for clip in chosen], limits)


def describe_clip(store: ClipStore, clip: str) -> NDArray[np.float64]:
    """dlib's face descriptor (128,) of the frame with a face nearest to the clip's middle."""
    with_face = np.flatnonzero(store.found(clip))
    frame = int(with_face[np.argmin(np.abs(with_face - store.length(clip) // 2))])
    return face_descriptor(store.frames(clip, [frame])[0], store.points(clip)[frame])


def by_video(store: ClipStore, clips: Iterable[str]) -> dict[str, list[str]]:
    """The clips of each video, by its path, in order of time."""
    videos = defaultdict(list)
    for clip in clips:
        videos[str(store.source(clip)["path"])].append(clip)
    return {path: sorted(ids, key=lambda clip: float(store.source(clip)["start"])) for path, ids in videos.items()}


def video_warnings(store: ClipStore) -> dict[str, str]:
    """Warnings about videos, by the ids of their good clips; each is also logged once.

    Videos of fewer than `MIN_CLIPS` clips are judged together with others of the same speaker.
    """
    warnings: dict[str, list[str]] = defaultdict(list)
    shorts: dict[str, list[str]] = defaultdict(list)
    for path, clips in by_video(store, store.faces.ids(status="ok")).items():
        if len(clips) < video_sync.MIN_CLIPS:
            speaker = store.speaker(clips[0])
            shorts[speaker] += clips if speaker else []
            continue
        _note(warnings, path, clips, _sound(store, clips))
        _note(warnings, path, clips, _people(store, clips))
    for speaker, clips in shorts.items():
        _note(warnings, f"speaker {speaker}", clips, _sound(store, clips))
    return {clip: SEPARATOR.join(texts) for clip, texts in warnings.items()}


def with_warnings(clips: Iterable[Mapping[str, Any]], warnings: Mapping[str, str]) -> list[dict[str, Any]]:
    """Rows of the manifest with the warnings added to ``reason``."""
    rows = ((row, [row["reason"], warnings.get(row["id"], "")]) for row in clips)
    return [{**row, "reason": SEPARATOR.join(filter(None, reasons))} for row, reasons in rows]


def _note(warnings: dict[str, list[str]], name: str, clips: Iterable[str], warning: str) -> None:
    if warning:
        log.warning("%s: %s.", name, warning)
        for clip in clips:
            warnings[clip].append(warning)


def _sound(store: ClipStore, clips: Sequence[str]) -> str:
    fit = fit_clips(store, clips, video_sync.loudness_signals, video_sync.LOUDNESS)
    if fit is None:
        return ""
    if fit.shifted:
        return f"the sound is {fit.offset_text} over the whole video"
    return FOREIGN if fit.foreign else ""


def _people(store: ClipStore, clips: Sequence[str]) -> str:
    sample = spread_evenly(clips)
    first, *others = group_by_person(sample, np.array([describe_clip(store, clip) for clip in sample]))
    other = next((group for group in others if len(group) > 1), None)
    return f"{PEOPLE}, such as in {first[0]} and {other[0]}" if other else ""
