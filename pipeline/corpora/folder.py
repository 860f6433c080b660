"""A folder of one's own videos, cut into clips."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pipeline.config.ranges import Range, Section
from pipeline.corpora.base import (
    Clip,
    CorpusEntry,
    Opening,
    Split,
    files_below,
    need_folder,
    register,
    require_shares,
)
from pipeline.corpora.layout import VIDEOS, contents, unpacking
from pipeline.corpora.split import split_names
from pipeline.media import MediaError, probe, ticks
from pipeline.runtime.clock import FPS
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.hashes import hash_file
from pipeline.runtime.time_limit import TimedOut, limited, within

_ENOUGH = 3  # videos, of which each goes to one split as a whole


@dataclass(frozen=True)
class FolderParams(Section):
    """A folder of one's own videos, of any length, container and frame rate."""

    root: str = "data/raw/folder"
    """The folder; searched with its subfolders."""
    clip_seconds: Annotated[float, Range(1, 60, unit="seconds")] = 3.0
    """Videos are cut into clips of so many seconds."""
    val: float = 0.1
    """Share for validation."""
    test: float = 0.1
    """Share for the test."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require_shares(self.val, self.test)


@dataclass(frozen=True)
class Folder:
    """Videos of any length, container and frame rate, in subfolders or not.

    A video is cut into clips of ``clip_seconds``. What is left at its end is a clip of its own when it has
    ``min_frames``; a shorter rest makes the last clip longer, so nothing is lost. The id is the path without suffix and
    the clip's number: ``anna/interview#0003``. The speaker is the subfolder the video lies in, or, where there is none,
    the video's name.

    Whole videos go to train, val or test; of one or two videos, the earlier part is for training, then val, then test.
    Copies of a video go where it goes, and do not count among three or more.
    """

    root: Path
    key: str
    seed: int
    clip_seconds: float
    val: float
    test: float
    min_frames: int
    time_limit: float = 0.0
    """Seconds after which a file that hangs is listed as one clip; 0: never."""

    def clips(self) -> list[Clip]:
        """All clips. A file that cannot be opened is one clip: what is wrong with it will be found on reading it."""
        advice = f"Put videos there, or set {self.key}.root to the folder that has them."
        need_folder(self.root, f"{self.key}.root", advice)
        paths = list(files_below(self.root, VIDEOS))
        if not paths:
            raise PipelineError(
                f"{self.key}.root: no video ({', '.join(VIDEOS)}) in {self.root}, which holds {contents(self.root)}. "
                f"{unpacking(self.root) or advice}"
            )
        names = self._names(paths)
        pieces = {name: self._pieces(path) for name, path in names.items()}
        first = self._first_copies(names)
        splits = self._splits({name: pieces[name] for name in names if first[name] == name})
        clips = []
        for name, path in names.items():
            speaker = path.parent.name if path.parent != self.root else path.stem
            for number, (start, duration) in enumerate(pieces[name]):
                clip = f"{name}#{number:04d}"
                split = splits[f"{first[name]}#{number:04d}"]
                clips.append(Clip(clip, speaker, split, "", path, start, duration))
        return sorted(clips, key=lambda clip: clip.id)

    def _names(self, paths: list[Path]) -> dict[str, Path]:
        """The path below the root without suffix; with it for files that differ in nothing else."""
        relative = [path.relative_to(self.root) for path in paths]
        stems = Counter(path.with_suffix("") for path in relative)
        names = {}
        for path, below in zip(paths, relative, strict=True):
            name = (below.with_suffix("") if stems[below.with_suffix("")] == 1 else below).as_posix()
            try:
                name.encode()
            except UnicodeEncodeError:
                raise PipelineError(f"{self.key}.root: the file name {name!r} is not valid UTF-8. Rename it.") from None
            names[name] = path
        return names

    def _first_copies(self, names: dict[str, Path]) -> dict[str, str]:
        """Each video's name, or, where there are enough others, that of the first one with the same content."""
        sizes = {name: path.stat().st_size if path.is_file() else -1 for name, path in names.items()}
        often = Counter(sizes.values())
        first: dict[tuple[int, str], str] = {}
        found = {}
        for name, path in names.items():
            digest = hash_file(path, self.time_limit) if often[sizes[name]] > 1 and sizes[name] >= 0 else ""
            found[name] = first.setdefault((sizes[name], digest or name), name)
        return found if len(first) >= _ENOUGH else {name: name for name in names}

    def _pieces(self, path: Path) -> list[tuple[float, float | None]]:
        """Start and duration of one video's clips, in whole frames; None is up to the end."""
        try:
            frames = round(within(self.time_limit, probe, path).duration * FPS)
            if not frames:
                shown = ticks(path, fps=FPS, start=0.0, duration=None, damage=None)
                frames = sum(1 for _ in limited(self.time_limit, shown))
        except (MediaError, TimedOut):
            return [(0.0, None)]
        length = round(self.clip_seconds * FPS)
        starts = list(range(0, frames, length))
        if len(starts) > 1 and frames - starts[-1] < self.min_frames:
            starts.pop()
        return [*((start / FPS, length / FPS) for start in starts[:-1]), (starts[-1] / FPS, None)]

    def _splits(self, pieces: dict[str, list[tuple[float, float | None]]]) -> dict[str, Split]:
        ids = {name: [f"{name}#{number:04d}" for number in range(len(one))] for name, one in pieces.items()}
        shares = f"{self.key}.val or {self.key}.test"
        if len(ids) >= _ENOUGH:
            keys = f"{shares}, or add videos to {self.key}.root"
            videos = split_names(ids, seed=self.seed, val=self.val, test=self.test, keys=keys, what="videos")
            return {clip: videos[name] for name, clips in ids.items() for clip in clips}
        timeline = [clip for name in sorted(ids) for clip in ids[name]]
        tests, vals = (max(1, round(len(timeline) * share)) for share in (self.test, self.val))
        trains = len(timeline) - tests - vals
        if trains < 1:
            raise PipelineError(
                f"{self.key}.root: the videos in {self.root} make {len(timeline)} clips of {self.clip_seconds:g} s, "
                f"too few for train, val and test. Lower {self.key}.clip_seconds, change {shares}, or add videos."
            )
        return {
            clip: "train" if place < trains else "val" if place < trains + vals else "test"
            for place, clip in enumerate(timeline)
        }


def _open(params: FolderParams, opening: Opening) -> Folder:
    return Folder(
        root=opening.root,
        key=opening.key,
        seed=opening.seed,
        clip_seconds=params.clip_seconds,
        val=params.val,
        test=params.test,
        min_frames=opening.min_frames,
        time_limit=opening.time_limit,
    )


register(
    CorpusEntry(
        name="folder",
        title="your own videos of any length, container and frame rate",
        layout="any, with subfolders",
        params=FolderParams,
        open=_open,
        licence="That of your videos",
        attribution="Your own videos.",
    )
)
