"""Bad and odd files: how to make them, and the expected verdicts."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from tests.media.encode import encode, set_matrix
from tests.prepare.bad_media.film import SECONDS, SIZE, START, Image, at_rate, face_at, film, moving, photograph, tone

FRAMES = round(SECONDS * 25)
UNKNOWN = -1
"""Some frames; their number depends on the encoder."""
TIME_LIMIT = 1.5
SIZE_OF_ODD = (SIZE[0] + 1, SIZE[1] + 1)


@dataclass(frozen=True)
class Case:
    """A file and its expected verdicts."""

    make: Callable[[Path], object]
    rejected: str = ""
    """Start of extract's reason; empty for a good clip."""
    frames: int = FRAMES
    """At 25 fps."""
    faceless: str = ""
    """Start of landmarks' reason; empty for a good face."""


def truncated(path: Path, keep: float, seconds: float = SECONDS, codec: str = "libx264") -> None:
    film(
        path, seconds=seconds, codec=codec, audio_codec="mp2" if codec == "mpeg1video" else "aac", time_base=clock(path)
    )
    content = path.read_bytes()
    path.write_bytes(content[: round(len(content) * keep)])


def clock(path: Path) -> Fraction:
    """The unit of the container's timestamps, seconds."""
    return {".mkv": Fraction(1, 1000), ".mpg": Fraction(1, 25)}.get(path.suffix, Fraction(1, 90000))


def variable(path: Path) -> None:
    """From one frame to the next 15 to 45 ms."""
    steps = np.random.default_rng(0).integers(15, 46, 60)
    times = [Fraction(int(one), 1000) for one in np.cumsum([0, *steps])]
    film(path, [time for time in times if time < SECONDS], time_base=clock(path))


def turned(path: Path, matrix: tuple[int, int, int, int], undo: Callable[[Image], Image]) -> None:
    """Stored as ``undo`` leaves it, shown upright by its display matrix."""
    stored = undo(moving(0)).shape[1::-1]
    film(path, draw=lambda time: np.ascontiguousarray(undo(moving(time))), size=(stored[0], stored[1]))
    set_matrix(path, matrix)


def wide_pixels(path: Path) -> None:
    """Squeezed to 192x208, with wide pixels, as in DV."""
    film(
        path,
        draw=lambda time: np.asarray(cv2.resize(moving(time), (192, 208), interpolation=cv2.INTER_AREA), np.uint8),
        size=(192, 208),
        aspect=Fraction(4, 3),
    )


def odd(path: Path, codec: str, pix_fmt: str) -> None:
    film(path, draw=lambda time: moving(time, SIZE_OF_ODD), size=SIZE_OF_ODD, codec=codec, pix_fmt=pix_fmt, options={})


def two_faces(path: Path) -> None:
    film(path, draw=lambda time: face_at(212, 80, 0.5, on=face_at(START)))


def leaves(path: Path) -> None:
    """Out of the picture to the right, within the first half."""
    film(path, draw=lambda time: face_at(START + 400 * max(0.0, time - 0.4)))


def photo(path: Path) -> None:
    path.write_bytes(cv2.imencode(".jpg", photograph()[..., ::-1])[1].tobytes())


def sound_alone(path: Path) -> None:
    encode(path, [], audio=tone(16000), audio_codec="aac")


def other_suffix(path: Path) -> None:
    film(path.with_suffix(".mkv"), time_base=Fraction(1, 1000)).rename(path)


def hangs(path: Path) -> None:
    """A playlist: libav opens the named file, a pipe that nobody writes to, and waits."""
    os.mkfifo(path.with_name("silent.pipe"))
    path.write_text("ffconcat version 1.0\nfile silent.pipe\n")


def in_a_loop(path: Path) -> None:
    """In a folder with a link to a folder above."""
    film(path)
    (path.parent / "round").symlink_to(path.parent.parent)


FACELESS = "no face found"
LEFT = "the face is found in too few frames"
BROKEN = "not a media file, or incomplete"
FEW = "too few frames at 25 fps"
SHORT = "sound and picture differ in length"

CASES: dict[str, Case] = {
    "plain.mp4": Case(film),
    # broken
    "truncated, its index lost.mp4": Case(lambda path: truncated(path, 0.9), BROKEN, 0),
    "truncated.mkv": Case(lambda path: truncated(path, 0.6, 2 * SECONDS), frames=UNKNOWN),
    "truncated.mpg": Case(lambda path: truncated(path, 0.6, 2 * SECONDS, "mpeg1video"), SHORT, UNKNOWN),
    "truncated soon.ts": Case(lambda path: truncated(path, 0.4), FEW, UNKNOWN),
    "zero bytes.mp4": Case(lambda path: path.touch(), "the file is empty (0 bytes)", 0),
    "text.mp4": Case(lambda path: path.write_text("this is not a video\n" * 99), BROKEN, 0),
    "photo.mp4": Case(photo, "no audio stream", 1),
    "really mkv.mp4": Case(other_suffix),
    "really mkv.mpg": Case(other_suffix),
    "sound alone.mp4": Case(sound_alone, "no video stream", 0),
    "picture alone.mp4": Case(lambda path: film(path, audio=None), "no audio stream"),
    "one frame.mp4": Case(lambda path: film(path, [Fraction(0)]), FEW, 1),
    # faces
    "no face.mp4": Case(lambda path: film(path, draw=lambda time: face_at(999)), faceless=FACELESS),
    "two faces.mp4": Case(two_faces),
    "a face that leaves.mp4": Case(leaves, faceless=LEFT),
    # geometry
    "turned/90.mp4": Case(lambda path: turned(path, (0, 1, -1, 0), lambda one: np.rot90(one, 1))),
    "turned/180.mp4": Case(lambda path: turned(path, (-1, 0, 0, -1), lambda one: np.rot90(one, 2))),
    "turned/270.mp4": Case(lambda path: turned(path, (0, -1, 1, 0), lambda one: np.rot90(one, 3))),
    "turned/mirrored.mp4": Case(lambda path: turned(path, (-1, 0, 0, 1), lambda one: one[:, ::-1])),
    "turned/upside down and mirrored.mp4": Case(lambda path: turned(path, (1, 0, 0, -1), lambda one: one[::-1])),
    "wide pixels.mp4": Case(wide_pixels),
    "odd size.mp4": Case(lambda path: odd(path, "libx264", "yuv444p")),
    "odd size.mkv": Case(lambda path: odd(path, "ffv1", "bgr0")),
    # rates
    **{
        f"rate/{fps:.5g}.mp4": Case(partial(film, times=at_rate(Fraction(fps).limit_denominator(1001))))
        for fps in (24000 / 1001, 30000 / 1001, 50.0, 60.0)
    },
    "rate/variable.mkv": Case(variable),
    "sound/8 kHz.mkv": Case(lambda path: film(path, rate=8000, audio_codec="pcm_s16le", time_base=clock(path))),
    "sound/8 kHz.mp4": Case(lambda path: film(path, rate=8000)),
    "sound/48 kHz stereo.mp4": Case(lambda path: film(path, rate=48000, layout="stereo")),
    # names
    **{f"names/{name}.mp4": Case(film) for name in ("ein Märchen, 电影 🎬", "-i v1.0.final", 'it\'s  "100%d", c:d#1 ')},
    # links, and what is not a file
    "links/link.mp4": Case(lambda path: path.symlink_to("../plain.mp4")),
    "links/broken.mp4": Case(lambda path: path.symlink_to("nowhere.mp4"), "no such file", 0),
    "links/itself.mp4": Case(lambda path: path.symlink_to(path.name), BROKEN, 0),
    "links/pipe.mp4": Case(os.mkfifo, "a pipe or device, not a file", 0),
    "links/device.mp4": Case(lambda path: path.symlink_to("/dev/null"), "a pipe or device, not a file", 0),
    "links/hangs.mp4": Case(hangs, f"reading it hangs: nothing came for {TIME_LIMIT:g} s (extract.time_limit)", 0),
    "folder.mp4/inside.mp4": Case(in_a_loop),
}
