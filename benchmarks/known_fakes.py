"""What `atvgnet score` makes of fakes of which it is known what they are, from real videos.

Writes folders of fakes below `--out`: the real videos encoded again, of 256 and of 96 pixels in width, `SHIFT` frames
late, with the next video's sound, and what a bundle makes of their first frame and sound; and prints the command that
scores them.

    python -m benchmarks.known_fakes GRID/s1 GRID/s31 --most 6 --out fakes
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.inference.talking_head import TalkingHead
from pipeline.media import VideoWriter, read_audio, read_frames
from pipeline.runtime.clock import FPS

Frames = list[NDArray[np.uint8]]
SHIFT = 3


def resized(frames: Frames, width: int) -> Frames:
    height = round(frames[0].shape[0] * width / frames[0].shape[1] / 2) * 2
    return [np.asarray(cv2.resize(one, (width, height), interpolation=cv2.INTER_AREA), np.uint8) for one in frames]


def write(path: Path, frames: Frames, sound: NDArray[np.int16], crf: int = 18) -> None:
    if path.exists():
        return
    size = (frames[0].shape[1], frames[0].shape[0])
    with VideoWriter(path, size=size, fps=FPS, audio=sound, crf=crf) as video:
        for frame in frames:
            video.write(frame)


def make(videos: Sequence[Path], out: Path, models: Path | None) -> None:
    head = TalkingHead.from_pretrained(models)
    changes: dict[str, Callable[[Frames], Frames]] = {
        "width_256": lambda frames: resized(frames, 256),
        "width_96": lambda frames: resized(frames, 96),
        "late": lambda frames: [*frames[:1] * SHIFT, *frames[:-SHIFT]],
    }
    sounds = [read_audio(path) for path in videos]
    for number, path in enumerate(videos):
        frames, sound = list(read_frames(path)), sounds[number]
        name = Path(path.parent.name, f"{path.stem}.mp4")
        (out / "real" / name).parent.mkdir(parents=True, exist_ok=True)
        link = out / "real" / path.parent.name / path.name
        if not link.exists():
            link.symlink_to(path.absolute())
        write(out / "encoded" / name, frames, sound, crf=28)
        for change, changed in changes.items():
            write(out / change / name, changed(frames), sound)
        write(out / "dubbed" / name, frames, np.resize(sounds[(number + 1) % len(videos)], len(sound)))
        write(out / "generated" / name, list(head.generate(frames[0], sound)), sound)
        print(f"{number + 1} of {len(videos)}", flush=True)


def spread(folder: Path, most: int) -> list[Path]:
    found = sorted(folder.glob("*.mp*"))
    return found[:: max(1, len(found) // most)][:most]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", help="of real videos, a speaker each")
    parser.add_argument("--most", type=int, default=6, help="of each")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--models", type=Path, help="the bundle; that which ships without it")
    arguments = parser.parse_args()
    videos = [path for folder in arguments.folders for path in spread(folder, arguments.most)]
    make(videos, arguments.out, arguments.models)
    systems = sorted(one.name for one in arguments.out.iterdir() if one.is_dir() and one.name != "real")
    fakes = " ".join(f"--fake {arguments.out / one}" for one in systems)
    print(f"atvgnet score --real {arguments.out / 'real'} {fakes} --out scored")


if __name__ == "__main__":
    main()
