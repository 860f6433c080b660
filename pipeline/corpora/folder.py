"""A folder of the user's videos, cut into clips."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pipeline.config.ranges import Range
from pipeline.corpora.base import (
    SPLITS,
    Clip,
    CorpusEntry,
    OpenedCorpus,
    Split,
    SplitSection,
    files_below,
    need_folder,
    register,
)
from pipeline.corpora.layout import VIDEOS, contents, names_below, unpacking
from pipeline.corpora.split import fewest, in_turn, split_names
from pipeline.media import MediaError, probe, ticks
from pipeline.runtime.clock import FPS
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.hashes import hash_file
from pipeline.runtime.time_limit import TimedOut, limited, within

_ENOUGH = 3  # so many different videos are split as a whole


@dataclass(frozen=True)
class FolderParams(SplitSection):
    """A folder of your own videos, of any length, container and frame rate."""

    root: str = "data/raw/folder"
    """The folder; searched with its subfolders."""
    clip_seconds: Annotated[float, Range(1, 60, unit="seconds")] = 3.0
    """Seconds per clip."""


@dataclass(frozen=True)
class Folder(OpenedCorpus):
    """Videos of any length, container and frame rate, in subfolders or not.

    A video is cut into clips of ``clip_seconds``. The rest at its end is a clip of its own if it has ``min_frames``;
    otherwise it extends the last clip. The id is the path without suffix and the clip's number:
    ``anna/interview#0003``. The speaker is the video's subfolder, or the video's name if it has none.

    Three or more videos are split as a whole into train, val and test; copies of a video are in the same split and do
    not count. Of fewer videos, the earlier part is for training, then val, then test.
    """

    params: FolderParams

    def clips(self) -> list[Clip]:
        """All clips. An unreadable file is listed as one clip; the stage that reads it gives the reason."""
        root, key = self.root, self.opening.key
        advice = f"Put videos there, or set {key}.root to the folder that has them."
        need_folder(root, f"{key}.root", advice)
        paths = list(files_below(root, VIDEOS))
        if not paths:
            fault = f"no video ({', '.join(VIDEOS)}) in {root}, which holds {contents(root)}"
            raise PipelineError(f"{key}.root: {fault}. {unpacking(root) or advice}")
        names = names_below(root, paths, f"{key}.root")
        pieces = {name: self._pieces(path) for name, path in names.items()}
        first = self._first_copies(names)
        splits = self._splits({name: len(pieces[name]) for name in names if first[name] == name})
        clips = []
        for name, path in names.items():
            speaker = path.parent.name if path.parent != root else path.stem
            for number, (start, duration) in enumerate(pieces[name]):
                split = splits[clip_id(first[name], number)]
                clips.append(Clip(clip_id(name, number), speaker, split, "", path, start, duration))
        return sorted(clips, key=lambda clip: clip.id)

    def _first_copies(self, names: dict[str, Path]) -> dict[str, str]:
        """By name, the first video with the same content; each video itself if too few different ones remain."""
        sizes = {name: path.stat().st_size if path.is_file() else -1 for name, path in names.items()}
        counts = Counter(sizes.values())
        by_content: dict[tuple[int, str], str] = {}
        first = {}
        for name, path in names.items():
            comparable = counts[sizes[name]] > 1 and sizes[name] >= 0
            digest = hash_file(path, self.opening.time_limit) if comparable else ""
            first[name] = by_content.setdefault((sizes[name], digest or name), name)
        return first if len(by_content) >= _ENOUGH else {name: name for name in names}

    def _pieces(self, path: Path) -> list[tuple[float, float | None]]:
        """Start and duration of a video's clips in seconds; the last one has no duration and lasts to the end."""
        time_limit = self.opening.time_limit
        try:
            frames = round(within(time_limit, probe, path).duration * FPS)
            if not 0 < frames <= path.stat().st_size:  # the file does not say, or says more than it can hold
                frames = sum(1 for _ in limited(time_limit, ticks(path)))
        except (MediaError, TimedOut):
            return [(0.0, None)]
        length = round(self.params.clip_seconds * FPS)
        starts = list(range(0, frames, length))
        if len(starts) > 1 and frames - starts[-1] < self.opening.min_frames:
            starts.pop()
        return [*((start / FPS, length / FPS) for start in starts[:-1]), (starts[-1] / FPS, None)]

    def _splits(self, counts: dict[str, int]) -> dict[str, Split]:
        """The split of every clip; ``counts`` are the clips of each video."""
        key, seed, val, test = self.opening.key, self.opening.seed, self.params.val, self.params.test
        ids = {name: [clip_id(name, number) for number in range(count)] for name, count in counts.items()}
        shares = f"{key}.val or {key}.test"
        if len(ids) >= _ENOUGH:
            keys = f"{shares}, or add videos to {key}.root"
            videos = split_names(ids, seed=seed, val=val, test=test, keys=keys, what="videos")
            return {clip: videos[name] for name, clips in ids.items() for clip in clips}
        timeline = [clip for name in sorted(ids) for clip in ids[name]]
        seconds, needed = self.params.clip_seconds, fewest(val, test)
        too_few = (
            f"{key}.root: the videos in {self.root} make {len(timeline)} clips of {seconds:g} s. Train, val and test "
            f"need {needed}, so about {needed * seconds:g} s of video. Add videos, lower {key}.clip_seconds, or change "
            f"{shares}."
        )
        return in_turn(timeline, SPLITS, val=val, test=test, too_few=too_few)


def clip_id(video: str, number: int) -> str:
    """The id of a video's clip."""
    return f"{video}#{number:04d}"


register(
    CorpusEntry(
        name="folder",
        title="your own videos of any length, container and frame rate",
        layout="any, with subfolders",
        params=FolderParams,
        open=Folder,
        licence="That of your videos",
        attribution="Your own videos.",
    )
)
