"""Which generated video belongs to which real one: those of one name."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.corpora.base import files_below
from pipeline.corpora.layout import VIDEOS
from pipeline.evaluation.folder import file_stems
from pipeline.runtime.errors import PipelineError

PICTURES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
"""Suffixes of what counts as a picture."""


@dataclass(frozen=True)
class Pair:
    """A clip: its real video and picture where there are any, and each system's video, or why it has none."""

    id: str
    real: Path | None = None
    reference: Path | None = None
    fakes: Mapping[str, Path | str] = field(default_factory=dict)

    @property
    def speaker(self) -> str:
        """The folder that the clip lies in; empty without one."""
        return self.id.rpartition("/")[0].rpartition("/")[2]

    @property
    def files(self) -> list[Path]:
        """All that is read of it."""
        own = [path for path in (self.real, self.reference) if path]
        return [*own, *(path for path in self.fakes.values() if isinstance(path, Path))]


def find_videos(folder: Path, option: str, suffixes: tuple[str, ...] = VIDEOS) -> dict[str, Path]:
    """The videos below ``folder``, links followed, by their path in it without suffix; with it for those that differ in
    nothing else.

    Raises PipelineError naming the ``option`` when the folder is not there, or holds none.
    """
    if not folder.is_dir():
        raise PipelineError(f"{option}: {folder} is not a folder. Give one that holds the videos.")
    paths = [path.relative_to(folder) for path in files_below(folder, suffixes)]
    if not paths:
        raise PipelineError(f"{option}: {folder} holds no file with a suffix of {', '.join(suffixes)}.")
    often = Counter(path.with_suffix("") for path in paths)
    names = ((path.with_suffix("") if often[path.with_suffix("")] == 1 else path).as_posix() for path in paths)
    return {name: folder / path for name, path in zip(names, paths, strict=True)}


def find_pairs(real: Path | None, fakes: Mapping[str, Path], reference: Path | None = None) -> list[Pair]:
    """Every clip of which there is a real or a generated video, by name.

    A video that lies flat where the real ones lie in folders may have `_` for `/`, as `file_stems` writes it: of real
    names that would be alike there, neither is taken for the other. Raises PipelineError where a folder is empty, and
    where no video of a system has a real one.
    """
    real_videos = find_videos(real, "--real") if real else {}
    pictures = find_videos(reference, "--reference", (*VIDEOS, *PICTURES)) if reference else {}
    matched: dict[str, dict[str, Path]] = {}
    for system, folder in fakes.items():
        videos = find_videos(folder, "--fake")
        matched[system] = by_clip = _matched(videos, list(real_videos)) if real else videos
        if real and not by_clip.keys() & real_videos.keys():
            raise PipelineError(
                f"--fake: no video in {folder} is called as one in {real}, such as {min(videos)} there and "
                f"{min(real_videos)} here. Give both the same names, in the same subfolders."
            )
    others = set().union(*matched.values()) - real_videos.keys()
    ids = [*sorted(real_videos), *sorted(others)]
    of_pictures = _matched(pictures, ids)
    return [
        Pair(
            one,
            real_videos.get(one),
            of_pictures.get(one),
            {
                system: videos.get(one, "there is no generated video of this name")
                if one in real_videos or not real
                else _unreal(videos.get(one))
                for system, videos in matched.items()
                if one in real_videos or one in videos
            },
        )
        for one in ids
    ]


def _unreal(video: Path | None) -> str:
    return f"there is no real video of this name for {video.name}" if video else ""


def _matched(videos: Mapping[str, Path], ids: list[str]) -> dict[str, Path]:
    """Videos by the id they belong to, or by their own name where there is none."""
    by_stem = {stem: one for one, stem in file_stems(ids).items()}
    found = {name: path for name, path in videos.items() if name in ids}
    for name, path in videos.items():
        if name not in found:
            one = by_stem.get(name, name)
            found[name if one in videos else one] = path
    return found
