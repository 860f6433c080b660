"""One person's videos as clips to learn from, to validate on, and held out; prepared as the stages prepare a corpus."""

import logging
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pipeline.config.params import Params
from pipeline.corpora.base import Clip, Split
from pipeline.corpora.folder import Folder
from pipeline.personalize.recordings import check_recordings
from pipeline.personalize.videos import find_videos
from pipeline.prepare.extract import extract
from pipeline.prepare.faces import build_faces
from pipeline.prepare.mfcc import build_mfcc
from pipeline.prepare.quality.rejections import TooManyLost, common_causes
from pipeline.runtime.errors import PipelineError
from pipeline.shards.clip_store import ClipStore
from pipeline.speech.normalisation import InitialStatistics

log = logging.getLogger(__name__)

SECONDS = 3.0
"""Length of a clip."""
SHARE = 0.1
"""Share of the clips that are held out."""
VALIDATING = 0.2
"""Share of the other clips that validate."""
HELD_OUT = 2
"""Clips at least that are held out."""
LEAST = HELD_OUT + 3
"""Clips without which there is nothing to learn from: one validates, and two are learnt from."""
FEW, SHORT = 8, 45.0
"""Clips, and seconds of video, below which a warning says that the video is short."""


@dataclass(frozen=True)
class Footage(Folder):
    """Videos in the order of their names, but for the clips that are `unusable`: the last ones in time are held out
    (`test`), those before them validate, and all before those are learnt from.
    """

    unusable: frozenset[str] = frozenset()
    delays: Mapping[str, float] = field(default_factory=dict)
    """Seconds by which the sound of a video is to be heard later, by the video's file below the root."""

    def clips(self) -> list[Clip]:
        """All that may be usable; fewer than `LEAST` too."""
        usable = (clip for clip in super().clips() if clip.id not in self.unusable)
        return [replace(clip, sound_delay=self.delays.get(clip.path.name, 0.0)) for clip in usable]

    def _splits(self, pieces: Mapping[str, Sequence[tuple[float, float | None]]]) -> dict[str, Split]:
        every = [f"{name}#{number:04d}" for name in sorted(pieces) for number in range(len(pieces[name]))]
        usable = [clip for clip in every if clip not in self.unusable]
        held_out = max(HELD_OUT, round(SHARE * len(usable)))
        validating = max(1, round(VALIDATING * (len(usable) - held_out)))
        splits: dict[str, Split] = dict.fromkeys(every, "train")
        splits |= dict.fromkeys(usable[-held_out - validating :], "val")
        return splits | dict.fromkeys(usable[-held_out:], "test")


def prepare(
    videos: Sequence[Path], params: Params, work: Path, jobs: int, initial: InitialStatistics | None = None
) -> ClipStore:
    """The clips of the videos in the folder `work`, with crops, points and features, by split.

    ``initial`` are the statistics that adaptive normalisation starts from, the bundle's.

    What is there of an earlier call is not made again. Sound that is early or late is moved. Clips whose sound is
    foreign, and clips of another person, are left out. Warns when there is little video. Raises PipelineError when a
    video is none, and when fewer than `LEAST` clips are good, with what is wrong with the others.
    """
    root = _linked(videos, work / "videos")
    footage = Footage(
        root=root.absolute(),
        key="video",
        seed=params.seed,
        clip_seconds=SECONDS,
        val=SHARE,
        test=SHARE,
        min_frames=params.extract.min_frames,
        time_limit=params.extract.time_limit,
    )
    lost: dict[str, str] = {}
    _warn_of_little(len(footage.clips()))
    sync = _build(footage, lost, params, work, jobs)
    found = check_recordings(ClipStore(work), sync, params.landmarks.min_sync)
    lost |= found.lost
    if found.lost or found.delays:
        _build(replace(footage, delays=found.delays), lost, params, work, jobs)
    if lost:
        log.warning("%d clips are left out:%s", len(lost), common_causes(lost))
    build_mfcc(work / "clips", params.mfcc, work / "mfcc", jobs, initial)
    return ClipStore(work)


def _build(footage: Footage, lost: dict[str, str], params: Params, work: Path, jobs: int) -> dict[str, float]:
    """Write sound and faces of all good clips; the metric `sync` of each. What is wrong with others is added to `lost`.

    Whether sound and lips go together is not asked of single clips, see `check_recordings`.
    """
    extracting = replace(params.extract, max_lost=1.0)
    finding = replace(params.landmarks, max_lost=1.0, min_sync=-1.0)
    limit = extracting.time_limit
    while True:  # clips that turn out bad make others the last in time; what is made of those is kept
        footage = replace(footage, unusable=frozenset(lost))
        if len(footage.clips()) < LEAST:
            raise PipelineError(_too_little(len(footage.clips()), lost))
        try:
            manifest = extract(footage, extracting, work / "clips", jobs)
            faces = build_faces(manifest, work / "clips", footage.root, finding, work / "faces", jobs, time_limit=limit)
            judged: Iterable[Mapping[str, Any]] = [*map(vars, manifest), *faces]
        except TooManyLost as error:  # a split without a good clip
            judged = error.rows
        bad = {row["id"]: row["reason"] for row in judged if row["status"] != "ok"}
        if not bad:
            return {row["id"]: float(row["sync"]) for row in faces}
        lost |= bad


def _warn_of_little(clips: int) -> None:
    if clips < FEW or clips * SECONDS < SHORT:
        log.warning(
            "The video has %d clips of %g s, about %g s. That is short: less than %g s often brings no improvement. "
            "Models that are not better are not kept.",
            *(clips, SECONDS, clips * SECONDS, SHORT),
        )


def _linked(videos: Sequence[Path], folder: Path) -> Path:
    """A folder that has the videos, or those in a folder that is given, in the order they are given in."""
    files = find_videos(videos)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for number, file in enumerate(files):
        (folder / f"{number:04d}-{file.name}").symlink_to(file.absolute())
    return folder


def _too_little(good: int, lost: Mapping[str, str]) -> str:
    why = f" Clips that cannot be used:{common_causes(lost)}\n" if lost else " "
    return (
        f"The video has {good} clips of {SECONDS:g} s that can be learnt from, and {LEAST} are needed, "
        f"{LEAST * SECONDS:g} s: {HELD_OUT} are held out, and one validates.{why}Give a minute or more of one person "
        "who speaks to the camera."
    )
