"""WebDataset tars of the good clips; docs/shards.md says what is in a sample."""

import hashlib
import io
import json
import tarfile
import wave
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.faces.crop import to_crop
from pipeline.prepare import manifest
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.progress import progress
from pipeline.shards import INDEX, ShardReader

VERSION = 1
"""Raised with every change of this file that changes a tar's bytes."""
ABOUT = "dataset.json"
FPS = 25
RATE = 16000


@dataclass(frozen=True)
class Prepared:
    """What the stages extract, landmarks and mfcc made of the clips that are good."""

    clips: ShardReader
    faces: ShardReader
    mfcc: ShardReader

    @classmethod
    def open(cls, clips: Path, faces: Path, mfcc: Path) -> "Prepared":
        """Open the three folders; PipelineError when one is not there, or they are not of one run."""
        prepared = cls(ShardReader(clips, manifest.FILE), ShardReader(faces), ShardReader(mfcc))
        for folder, reader in ((clips, prepared.clips), (mfcc, prepared.mfcc)):
            missing = set(prepared.faces.ids(status="ok")).difference(reader)
            if missing:
                raise PipelineError(f"{faces} has the clip {min(missing)}, {folder} has not. Run `dvc repro` first.")
        return prepared

    def about(self, clip: str) -> dict[str, Any]:
        """What is known of a clip besides its arrays."""
        row = self.clips.index[clip]
        known = {name: row[name] for name in ("id", "speaker", "split", "text")}
        return {**known, "frames": self.faces.index[clip]["frames"], "fps": FPS, "rate": RATE}

    def files(self, clip: str) -> Iterator[tuple[str, bytes]]:
        """The sample's files by their suffix, in order."""
        face = self.faces.read(clip, ["points", "transform", "found", "jpeg"])
        yield "json", json.dumps(self.about(clip), ensure_ascii=False).encode()
        yield "wav", _wav(self.clips.array(clip, "samples"))
        yield "mfcc.npy", _npy(self.mfcc.array(clip, "mfcc"))
        yield "points.npy", _npy(face["points"])
        yield "transform.npy", _npy(face["transform"])
        yield "found.npy", _npy(face["found"])
        yield "crop_points.npy", _npy(to_crop(face["points"], face["transform"]))
        for number, data in enumerate(face["jpeg"]):
            yield f"{number:06d}.jpg", data


def sample_key(clip: str) -> str:
    """The ``__key__`` of a clip: its id, in which only ``.`` and ``%`` are percent-encoded, since WebDataset ends the
    key at the first dot. ``urllib.parse.unquote`` gives the id back.
    """
    return clip.replace("%", "%25").replace(".", "%2E")


def export_webdataset(prepared: Prepared, to: Path, splits: Sequence[str], per_tar: int) -> dict[str, int]:
    """Write ``to/atvgnet-SPLIT-000000.tar`` and so on with ``per_tar`` clips each, in the order of their ids.

    The bytes depend on the clips alone. Each tar appears when it is whole; an export that was interrupted goes on.
    Returns how many clips each split has. Raises PipelineError when ``to`` holds anything else than this export, when
    it cannot be written, or when a split has no good clip.
    """
    clips = {split: prepared.faces.ids(split=split, status="ok") for split in splits}
    for split, ids in clips.items():
        if not ids:
            raise PipelineError(f"The split {split} has no good clip to export.")
    counts = {split: len(ids) for split, ids in clips.items()}
    about = {"format": "webdataset", "clips": counts, "clips_a_tar": per_tar, "source": _source(prepared)}
    try:
        _claim(to, about)
        with progress("export", sum(counts.values())) as advance:
            for split, ids in clips.items():
                for number, start in enumerate(range(0, len(ids), per_tar)):
                    part = ids[start : start + per_tar]
                    path = to / f"atvgnet-{split}-{number:06d}.tar"
                    if not path.exists():
                        _write_tar(path, prepared, part)
                    advance(len(part))
    except OSError as error:
        raise PipelineError(
            f"{to} cannot be written: {error}. Free space or fix its rights, then run again: finished tars are kept."
        ) from error
    return counts


def _source(prepared: Prepared) -> str:
    """The hash of all that the tars' bytes depend on: the indexes, in which a shard's name says what is in it."""
    digest = hashlib.sha256(f"{VERSION}\n".encode())
    for reader, name in ((prepared.clips, manifest.FILE), (prepared.faces, INDEX), (prepared.mfcc, INDEX)):
        digest.update((reader.folder / name).read_bytes())
    return digest.hexdigest()


def _claim(to: Path, about: dict[str, Any]) -> None:
    """Make sure that ``to`` is this export's, begun or not."""
    to.mkdir(parents=True, exist_ok=True)
    mark = to / ABOUT
    if not mark.exists():
        if any(one for one in to.iterdir() if not one.name.endswith(".tmp")):
            raise PipelineError(f"{to} is not empty, and what is in it is not an export. Name a new folder with --to.")
        mark.write_text(json.dumps(about, indent=2) + "\n")
    elif json.loads(mark.read_text()) != about:
        raise PipelineError(
            f"{to} holds an export of other clips, another split or another number of clips per tar. Remove it, or "
            "name a new folder with --to."
        )


def _write_tar(path: Path, prepared: Prepared, clips: Iterable[str]) -> None:
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with tarfile.open(temporary, "w", format=tarfile.PAX_FORMAT, encoding="utf-8") as tar:
            for clip in clips:
                for suffix, data in prepared.files(clip):
                    file = tarfile.TarInfo(f"{sample_key(clip)}.{suffix}")  # its time, owner and rights are fixed
                    file.size = len(data)
                    tar.addfile(file, io.BytesIO(data))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _npy(values: NDArray[Any]) -> bytes:
    with io.BytesIO() as file:
        np.save(file, values, allow_pickle=False)
        return file.getvalue()


def _wav(samples_N: NDArray[np.int16]) -> bytes:
    with io.BytesIO() as file:
        with wave.open(file, "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(RATE)
            sound.writeframes(samples_N.astype("<i2").tobytes())
        return file.getvalue()
