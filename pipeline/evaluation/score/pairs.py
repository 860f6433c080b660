"""Which generated video belongs to which real one: those of the same name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.evaluation.folder import file_stems
from pipeline.evaluation.score.folders import REFERENCES, find_videos
from pipeline.runtime.errors import PipelineError


@dataclass(frozen=True)
class Fake:
    """A system's video of a clip, or the reason why there is none to score."""

    path: Path | None
    reason: str = ""


@dataclass(frozen=True)
class Pair:
    """A clip: its real video and reference picture if there are any, and the video of each system."""

    id: str
    real: Path | None = None
    reference: Path | None = None
    fakes: Mapping[str, Fake] = field(default_factory=dict)

    @property
    def speaker(self) -> str:
        """The folder of the clip; empty without one."""
        return self.id.rpartition("/")[0].rpartition("/")[2]

    @property
    def files(self) -> list[Path]:
        """All files that the clip's metrics depend on."""
        return [path for path in (self.real, self.reference, *(fake.path for fake in self.fakes.values())) if path]


def find_pairs(real: Path | None, fakes: Mapping[str, Path], reference: Path | None = None) -> list[Pair]:
    """Match the real videos, the videos of each system and the pictures in ``reference`` by name.

    If the real videos are in subfolders and the others are not, `_` stands for `/` (`file_stems`), unless two real
    names would then be equal. Every clip with a real or a generated video has a pair. Raises PipelineError if a folder
    is missing or empty, or if no video of a system has a real one.
    """
    real_videos = find_videos(real, "--real") if real else {}
    pictures = find_videos(reference, "--reference", REFERENCES) if reference else {}
    by_system: dict[str, dict[str, Path]] = {}
    for system, folder in fakes.items():
        videos = find_videos(folder, "--fake")
        by_system[system] = _by_clip(videos, real_videos) if real else videos
        if real and not by_system[system].keys() & real_videos.keys():
            raise PipelineError(
                f"--fake: no video in {folder} is called as one in {real}, such as {min(videos)} there and "
                f"{min(real_videos)} here. Give both the same names, in the same subfolders."
            )
    without_real = set().union(*by_system.values()) - real_videos.keys()
    clips = [*sorted(real_videos), *sorted(without_real)]
    references = _by_clip(pictures, clips)
    pairs = []
    for clip in clips:
        found: dict[str, Fake] = {}
        for system, videos in by_system.items():
            if clip in videos and (clip in real_videos or not real):
                found[system] = Fake(videos[clip])
            elif clip in videos:
                found[system] = Fake(None, f"there is no real video of this name for {videos[clip].name}")
            elif clip in real_videos:
                found[system] = Fake(None, "there is no generated video of this name")
        pairs.append(Pair(clip, real_videos.get(clip), references.get(clip), found))
    return pairs


def _by_clip(videos: Mapping[str, Path], clips: Iterable[str]) -> dict[str, Path]:
    """Videos by the clip that they belong to, or by their own name if there is no such clip."""
    names = list(clips)
    clip_of = {stem: clip for clip, stem in file_stems(names).items()}
    found = {name: path for name, path in videos.items() if name in names}
    for name, path in videos.items():
        if name not in found:
            clip = clip_of.get(name, name)
            found[name if clip in videos else clip] = path
    return found
