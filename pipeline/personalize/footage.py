"""One person's videos as clips to learn from, to validate on, and held out; prepared as the stages prepare a corpus."""

import logging
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.config.params import Params
from pipeline.corpora.base import Clip, Split
from pipeline.corpora.folder import Folder
from pipeline.personalize.videos import find_videos
from pipeline.prepare.extract import extract
from pipeline.prepare.faces import build_faces
from pipeline.prepare.mfcc import build_mfcc
from pipeline.prepare.quality.rejections import TooManyLost, common_causes
from pipeline.runtime.errors import PipelineError
from pipeline.shards.clip_store import ClipStore

log = logging.getLogger(__name__)

SECONDS = 3.0
"""Length of a clip."""
SHARE = 0.1
"""Of the clips that are held out, and of those that validate."""
HELD_OUT = 2
"""Clips at least that are held out."""
LEAST = HELD_OUT + 3
"""Clips without which there is nothing to learn from: one validates, and two are learnt from."""


@dataclass(frozen=True)
class Footage(Folder):
    """Videos in the order of their names, but for the clips that are `unusable`: the last ones in time are held out
    (`test`), those before them validate, and all before those are learnt from.
    """

    unusable: frozenset[str] = frozenset()

    def clips(self) -> list[Clip]:
        """All that may be usable; fewer than `LEAST` too."""
        return [clip for clip in super().clips() if clip.id not in self.unusable]

    def _splits(self, pieces: Mapping[str, Sequence[tuple[float, float | None]]]) -> dict[str, Split]:
        every = [f"{name}#{number:04d}" for name in sorted(pieces) for number in range(len(pieces[name]))]
        usable = [clip for clip in every if clip not in self.unusable]
        held_out = max(HELD_OUT, round(SHARE * len(usable)))
        validating = max(1, round(SHARE * (len(usable) - held_out)))
        splits: dict[str, Split] = dict.fromkeys(every, "train")
        splits |= dict.fromkeys(usable[-held_out - validating :], "val")
        return splits | dict.fromkeys(usable[-held_out:], "test")


def prepare(videos: Sequence[Path], params: Params, work: Path, jobs: int) -> ClipStore:
    """The clips of the videos in the folder `work`, with crops, points and features, by split.

    What is there of an earlier call is not made again. Raises PipelineError when a video is none, and when fewer than
    `LEAST` clips are good, with what is wrong with the others.
    """
    root = _linked(videos, work / "videos")
    extracting = replace(params.extract, max_lost=1.0)
    finding = replace(params.landmarks, max_lost=1.0)
    footage = Footage(
        root=root.absolute(),
        key="video",
        seed=params.seed,
        clip_seconds=SECONDS,
        val=SHARE,
        test=SHARE,
        min_frames=extracting.min_frames,
        time_limit=extracting.time_limit,
    )
    lost: dict[str, str] = {}
    while True:  # clips that turn out bad make others the last in time; what is made of those is kept
        footage = replace(footage, unusable=frozenset(lost))
        if len(footage.clips()) < LEAST:
            raise PipelineError(_too_little(len(footage.clips()), lost))
        try:
            manifest = extract(footage, extracting, work / "clips", jobs)
            faces = build_faces(
                manifest, work / "clips", root, finding, work / "faces", jobs, time_limit=extracting.time_limit
            )
            judged: Iterable[Mapping[str, Any]] = [*map(vars, manifest), *faces]
        except TooManyLost as error:  # a split without a good clip
            judged = error.rows
        bad = {row["id"]: row["reason"] for row in judged if row["status"] != "ok"}
        if not bad:
            break
        lost |= bad
    if lost:
        log.warning("%d clips are left out:%s", len(lost), common_causes(lost))
    build_mfcc(work / "clips", params.mfcc, work / "mfcc", jobs)
    return ClipStore(work)


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
