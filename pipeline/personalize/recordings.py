"""Whether each recording's sound belongs to its lips, and all recordings show one person."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pipeline.faces.people import group_by_person
from pipeline.personalize.sound import EXPECTED, ExpectedLips
from pipeline.prepare.quality.thresholds import LIMITS
from pipeline.prepare.quality.videos import FOREIGN, by_video, describe_clip, fit_clips
from pipeline.runtime.clock import FPS
from pipeline.shards.clip_store import ClipStore

log = logging.getLogger(__name__)


@dataclass
class Found:
    """Why clips are left out, by id, and by how many seconds each file's sound is to be heard later."""

    lost: dict[str, str] = field(default_factory=dict)
    delays: dict[str, float] = field(default_factory=dict)


def check_recordings(store: ClipStore, sync: Mapping[str, float], min_sync: float) -> Found:
    """Judge the sound of whole recordings, and who is seen in them.

    Files with too few clips for a verdict are judged together. `sync` is the metric of each clip; only where the whole
    recording gives no verdict are clips below `min_sync` left out.
    """
    found = Found()
    clips = store.ids("train") + store.ids("val") + store.ids("test")
    expected = ExpectedLips()
    for files in _recordings(by_video(store, clips)):
        of_files = [clip for file in files.values() for clip in file]
        fit = fit_clips(store, of_files, expected, EXPECTED)
        name = next(iter(files)).partition("-")[2] if len(files) == 1 else f"{len(files)} short videos"
        if fit is not None and fit.foreign:
            log.warning("%s: %s. Its clips are left out.", name, FOREIGN)
            found.lost |= dict.fromkeys(of_files, FOREIGN)
        elif fit is None or not fit.belongs:
            found.lost |= _out_of_step(of_files, sync, min_sync)
        elif fit.shifted:
            log.warning("%s: the sound is %s over the whole video. It is moved.", name, fit.describe())
            found.delays |= dict.fromkeys(files, fit.offset / FPS)
    found.lost |= _others(store, [clip for clip in clips if clip not in found.lost])
    return found


def _recordings(videos: Mapping[str, Sequence[str]]) -> Iterable[Mapping[str, Sequence[str]]]:
    """The files that are judged by themselves, and the short ones, which are judged together; none is empty."""
    short = {path: clips for path, clips in videos.items() if len(clips) < EXPECTED.fewest}
    yield from ({path: clips} for path, clips in videos.items() if path not in short)
    if short:
        yield short


def _out_of_step(clips: Iterable[str], sync: Mapping[str, float], min_sync: float) -> dict[str, str]:
    limit = next(limit for limit in LIMITS if limit.metric == "sync")
    causes = {clip: limit.cause(sync[clip], min_sync) for clip in clips}
    return {clip: cause for clip, cause in causes.items() if cause}


def _others(store: ClipStore, clips: Sequence[str]) -> dict[str, str]:
    """The clips that do not show the person who is seen most."""
    if not clips:
        return {}
    first, *others = group_by_person(clips, np.array([describe_clip(store, clip) for clip in clips]))
    if others:
        log.warning(
            "The video shows %d people. The one in %d of %d clips, such as %s, is kept; %s shows another.",
            *(1 + len(others), len(first), len(clips), first[0], others[0][0]),
        )
    return {clip: "another person than in most clips" for group in others for clip in group}
