"""One person's videos as clips for training, validation and test, prepared as the stages prepare a corpus."""

import logging
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pipeline.config.params import Params
from pipeline.corpora.base import Clip, Opening, Split
from pipeline.corpora.folder import Folder, FolderParams, clip_id
from pipeline.personalize.recordings import check_recordings
from pipeline.personalize.videos import find_videos
from pipeline.prepare.extract import extract
from pipeline.prepare.faces import build_faces
from pipeline.prepare.quality.limits import TooManyLost, common_causes
from pipeline.prepare.speech_features import build_mfcc
from pipeline.runtime.errors import PipelineError
from pipeline.shards.clip_store import ClipStore
from pipeline.speech.normalisation import InitialStatistics

log = logging.getLogger(__name__)

SECONDS = 3.0  # length of a clip
SHARE = 0.1  # of the clips, which are held out
VALIDATION_SHARE = 0.2  # of the other clips, which are for validation
MIN_HELD_OUT = 2
MIN_CLIPS = MIN_HELD_OUT + 3  # the held-out ones, one for validation and two for training
FEW_CLIPS, FEW_SECONDS = 8, 45.0  # with fewer a warning says that the video is short


@dataclass(frozen=True)
class Footage(Folder):
    """Videos in the order of their names, split by time: training, then validation, then held-out clips (`test`)."""

    unusable: frozenset[str] = frozenset()  # ids of clips to leave out
    delays: Mapping[str, float] = field(default_factory=dict)
    """Seconds by which the sound of a video is delayed, by the video's file below the root."""

    def clips(self) -> list[Clip]:
        """Return all clips that may be usable, also if they are fewer than `MIN_CLIPS`."""
        usable = (clip for clip in super().clips() if clip.id not in self.unusable)
        return [replace(clip, sound_delay=self.delays.get(clip.path.name, 0.0)) for clip in usable]

    def _splits(self, counts: dict[str, int]) -> dict[str, Split]:
        every = [clip_id(name, number) for name in sorted(counts) for number in range(counts[name])]
        usable = [clip for clip in every if clip not in self.unusable]
        held_out = max(MIN_HELD_OUT, round(SHARE * len(usable)))
        validating = max(1, round(VALIDATION_SHARE * (len(usable) - held_out)))
        splits: dict[str, Split] = dict.fromkeys(every, "train")
        splits |= dict.fromkeys(usable[-held_out - validating :], "val")
        return splits | dict.fromkeys(usable[-held_out:], "test")


def prepare(
    videos: Sequence[Path], params: Params, work: Path, jobs: int, initial: InitialStatistics | None = None
) -> ClipStore:
    """Prepare the clips of video files, and of folders of them, in the folder `work`: crops, points and features.

    Results of an interrupted call are reused. Sound that is early or late is shifted. Clips with other people's sound
    and clips of another person are left out. A warning says if there is little video. Adaptive normalisation starts
    from the statistics ``initial``, which are the bundle's. Raises PipelineError if a file is not a video, or fewer
    than `MIN_CLIPS` clips are usable; the message says why.
    """
    root = _linked(videos, work / "videos")
    footage = Footage(
        FolderParams(clip_seconds=SECONDS),
        Opening(root.absolute(), "video", params.seed, params.extract.min_frames, params.extract.time_limit),
    )
    count = len(footage.clips())
    if count < FEW_CLIPS or count * SECONDS < FEW_SECONDS:
        log.warning(
            "The video has %d clips of %g s, about %g s. That is short: less than %g s often brings no improvement. "
            "Models that are not better are not kept.",
            count,
            SECONDS,
            count * SECONDS,
            FEW_SECONDS,
        )
    lost: dict[str, str] = {}
    sync = _build(footage, lost, params, work, jobs)
    wrong, delays = check_recordings(ClipStore(work), sync, params.landmarks.min_sync)
    lost |= wrong
    if wrong or delays:
        _build(replace(footage, delays=delays), lost, params, work, jobs)
    if lost:
        log.warning("%d clips are left out:%s", len(lost), common_causes(lost))
    build_mfcc(work / "clips", params.mfcc, work / "mfcc", jobs, initial)
    return ClipStore(work)


def _build(footage: Footage, lost: dict[str, str], params: Params, work: Path, jobs: int) -> dict[str, float]:
    """Write sound and faces of all good clips, and return the metric `sync` of each.

    Adds the reasons for other clips to `lost`. Sync is not checked per clip here, but per recording in
    `check_recordings`.
    """
    extracting = replace(params.extract, max_lost=1.0)
    finding = replace(params.landmarks, max_lost=1.0, min_sync=-1.0)
    limit = extracting.time_limit
    while True:  # leaving out bad clips changes the splits; finished clips are reused
        footage = replace(footage, unusable=frozenset(lost))
        if len(footage.clips()) < MIN_CLIPS:
            raise PipelineError(_too_little(len(footage.clips()), lost))
        try:
            manifest = extract(footage, extracting, work / "clips", jobs)
            faces = build_faces(manifest, work / "clips", footage.root, finding, work / "faces", jobs, time_limit=limit)
            rows: Iterable[Mapping[str, Any]] = [*map(vars, manifest), *faces]
        except TooManyLost as error:  # a split has no good clip
            rows = error.rows
        bad = {row["id"]: row["reason"] for row in rows if row["status"] != "ok"}
        if not bad:
            return {row["id"]: float(row["sync"]) for row in faces}
        lost |= bad


def _linked(videos: Sequence[Path], folder: Path) -> Path:
    """Link the videos into a folder, with names that keep their order."""
    files = find_videos(videos)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for number, file in enumerate(files):
        (folder / f"{number:04d}-{file.name}").symlink_to(file.absolute())
    return folder


def _too_little(good: int, lost: Mapping[str, str]) -> str:
    why = f" Clips that cannot be used:{common_causes(lost)}\n" if lost else " "
    return (
        f"The video has {good} clips of {SECONDS:g} s that can be learnt from, and {MIN_CLIPS} are needed, "
        f"{MIN_CLIPS * SECONDS:g} s: {MIN_HELD_OUT} are held out, and one validates.{why}Give a minute or more of one "
        "person who speaks to the camera."
    )
