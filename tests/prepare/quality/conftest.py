"""A corpus in LRW's layout with a clip of every defect, made from real clips, and its verdicts."""

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.config.params import Extract, Landmarks, Params
from pipeline.corpora.lrw import LrwParams
from pipeline.corpora.registry import open_corpus
from pipeline.media import VideoWriter, read_audio, read_frames
from pipeline.prepare.extract import extract
from pipeline.prepare.faces import build_faces

Frames = list[NDArray[np.uint8]]
Samples = NDArray[np.int16]

FRAMES = 29
LIPS = 216
"""The row of the source clip that runs through the middle of the mouth."""


def blurred(frames: Frames, sound: Samples) -> tuple[Frames, Samples | None]:
    return [np.asarray(cv2.GaussianBlur(frame, (0, 0), 4), np.uint8) for frame in frames], sound


def small(frames: Frames, sound: Samples) -> tuple[Frames, Samples | None]:
    return [np.asarray(cv2.resize(frame, (120, 96), interpolation=cv2.INTER_AREA), np.uint8) for frame in frames], sound


def cut(frames: Frames, sound: Samples) -> tuple[Frames, Samples | None]:
    return [frame[:LIPS] for frame in frames], sound


def shaking(frames: Frames, sound: Samples) -> tuple[Frames, Samples | None]:
    shifts = np.random.default_rng(0).integers(-4, 5, (len(frames), 2))
    return [np.roll(frame, tuple(shift), axis=(0, 1)) for frame, shift in zip(frames, shifts, strict=True)], sound


def lipless(frames: Frames, sound: Samples) -> tuple[Frames, Samples | None]:
    """The detector still finds the face, but only just."""
    return [frame[: LIPS - 24] for frame in frames], sound


def background(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture without the head."""
    return np.asarray(cv2.resize(frame[:30], (frame.shape[1], frame.shape[0])), np.uint8)


def noface(frames: Frames, sound: Samples) -> tuple[Frames, Samples | None]:
    return [background(frame) for frame in frames], sound


def absent(frames: Frames, sound: Samples) -> tuple[Frames, Samples | None]:
    return frames[:15] + [background(frame) for frame in frames[15:]], sound


def two(frames: Frames, sound: Samples) -> tuple[Frames, Samples | None]:
    """The second speaker takes the first one's place."""
    return [*frames[:15], *other_speaker(len(frames) - 15)], sound


def still(frames: Frames, sound: Samples) -> tuple[Frames, Samples | None]:
    return frames[:1] * len(frames), sound


@lru_cache
def other_speaker(count: int) -> tuple[NDArray[np.uint8], ...]:
    return tuple(read_frames(Path(os.environ["ATVGNET_CORPORA"]) / "grid/s5/lbax4n.mpg", duration=count / 25))


def silent(frames: Frames, sound: Samples) -> tuple[Frames, Samples | None]:
    return frames, np.zeros_like(sound)


def half(frames: Frames, sound: Samples) -> tuple[Frames, Samples | None]:
    return frames, sound[: len(sound) // 2]


def mute(frames: Frames, sound: Samples) -> tuple[Frames, Samples | None]:
    return frames, None


def short(frames: Frames, sound: Samples) -> tuple[Frames, Samples | None]:
    return frames[:12], sound[: 12 * 640]


def good(frames: Frames, sound: Samples) -> tuple[Frames, Samples | None]:
    return frames, sound


DEFECTS: dict[str, tuple[str, Callable[[Frames, Samples], tuple[Frames, Samples | None]], str]] = {
    "GOOD": ("", good, ""),
    "BLURRED": ("landmarks", blurred, "the face is blurred (sharpness below landmarks.min_sharpness = 0.02)"),
    "SMALL": ("landmarks", small, "the face is too small (face_size below landmarks.min_face_size = 64)"),
    "CUT": ("landmarks", cut, "the mouth shows in too few frames (mouth below landmarks.min_mouth = 0.8)"),
    "SHAKING": ("landmarks", shaking, "the points of the face shake (jitter beyond landmarks.max_jitter = 1)"),
    "LIPLESS": (
        "landmarks",
        lipless,
        "the detector is not sure of the face (score below landmarks.min_score = 0.5); "
        "the mouth shows in too few frames (mouth below landmarks.min_mouth = 0.8)",
    ),
    "NOFACE": ("landmarks", noface, "no face found in any frame"),
    "ABSENT": (
        "landmarks",
        absent,
        "the face is found in too few frames (detected below landmarks.min_detected = 0.8); "
        "the mouth shows in too few frames (mouth below landmarks.min_mouth = 0.8)",
    ),
    "TWO": (
        "landmarks",
        two,
        "another shot begins within the clip (cuts beyond landmarks.max_cuts = 0); "
        "two people are seen as one (identity beyond landmarks.max_identity = 0.5)",
    ),
    "STILL": ("landmarks", still, "the mouth does not move (movement below landmarks.min_movement = 0.18)"),
    "SILENT": ("extract", silent, "the sound is too quiet (level below extract.min_level = -60)"),
    "HALF": (
        "extract",
        half,
        "sound and picture differ in length (length_difference beyond extract.max_length_difference = 0.5)",
    ),
    "MUTE": ("extract", mute, "no audio stream"),
    "SHORT": ("extract", short, "too few frames at 25 fps (frames below extract.min_frames = 20)"),
    "EMPTY": ("extract", good, "the file is empty (0 bytes)"),
}
"""By word: the stage that rejects the clip, how it is made from a good one, and the reason."""


@dataclass(frozen=True)
class Judged:
    """The corpus, and rows of the manifest and of the faces."""

    root: Path
    clips: list[dict[str, Any]]
    faces: list[dict[str, Any]]
    folder: Path
    """Holds ``clips`` and ``faces``."""
    params: Params


def write_defects(corpora: Path, root: Path) -> None:
    """A clip per defect, and eleven good ones in all three splits."""
    source = corpora / "grid/s1/bbaf3s.mpg"
    frames = list(read_frames(source, duration=FRAMES / 25))
    sound = read_audio(source, start=0.6, duration=FRAMES / 25)
    for word, (_, make, _) in DEFECTS.items():
        path = root / f"lipread_mp4/{word}/train/{word}_00001.mp4"
        pictures, samples = make(frames, sound)
        height, width = pictures[0].shape[:2]
        with VideoWriter(path, size=(width, height), audio=samples, crf=10) as video:
            for picture in pictures:
                video.write(np.ascontiguousarray(picture))
        if word == "EMPTY":
            path.write_bytes(b"")
    real = corpora / "lrw_like/lipread_mp4"
    links = {path.relative_to(real): path for path in real.glob("*/*/*_00001.mp4")}
    for number, split in enumerate(("train", "val", "test")):
        links[Path(f"FRONTAL/{split}/FRONTAL_0000{number}.mp4")] = real / "FAMILY/val/FAMILY_00003.mp4"
    for below, path in links.items():
        (root / "lipread_mp4" / below).parent.mkdir(parents=True)
        (root / "lipread_mp4" / below).symlink_to(path)


@pytest.fixture(scope="session")
def judged(corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Judged:
    """Both stages with the default limits, but any number of rejected clips."""
    folder = tmp_path_factory.mktemp("quality")
    root = folder / "corpus"
    write_defects(corpora, root)
    params = Params(
        landmarks=Landmarks(max_lost=1.0, shard_clips=8),
        corpus="lrw",
        corpora={"lrw": asdict(LrwParams(root=str(root)))},
        extract=Extract(max_lost=1.0, shard_clips=8),
    )
    corpus = open_corpus(params, folder)
    clips = extract(corpus, params.extract, folder / "clips", 1)
    faces = build_faces(clips, folder / "clips", corpus.root, params.landmarks, folder / "faces", 1)
    return Judged(corpus.root, [vars(row) for row in clips], faces, folder, params)
