"""Export of the good clips as WebDataset tars (docs/shards.md)."""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import wavfile

from pipeline.runtime.clock import FPS, RATE
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import refuse_input, replacing
from pipeline.runtime.paths import StrPath
from pipeline.runtime.progress import progress
from pipeline.shards.clip_store import ClipStore
from pipeline.shards.read import INDEX, MANIFEST

VERSION = 2
"""Raise it with every change of this file that changes a tar's bytes."""
ABOUT = "dataset.json"


def files(store: ClipStore, clip: str) -> Iterator[tuple[str, bytes]]:
    """The sample's files, as pairs of suffix and content."""
    about = {name: store.source(clip)[name] for name in ("id", "speaker", "split", "text")}
    about |= {"frames": store.length(clip), "fps": FPS, "rate": RATE}
    yield "json", json.dumps(about, ensure_ascii=False).encode()
    with io.BytesIO() as file:
        wavfile.write(file, RATE, store.samples(clip))
        yield "wav", file.getvalue()
    for name in ("mfcc", "points", "transform", "found"):
        with io.BytesIO() as file:
            np.save(file, getattr(store, name)(clip), allow_pickle=False)
            yield f"{name}.npy", file.getvalue()
    for number, data in enumerate(store.jpegs(clip)):
        yield f"{number:06d}.jpg", data


def sample_key(clip: str) -> str:
    """The ``__key__`` of a clip: its id with ``.`` and ``%`` percent-encoded, because WebDataset ends keys at a dot.

    ``urllib.parse.unquote`` restores the id.
    """
    return clip.replace("%", "%25").replace(".", "%2E")


def export_webdataset(store: ClipStore, to: StrPath, splits: Sequence[str], per_tar: int) -> dict[str, int]:
    """Write ``to/atvgnet-SPLIT-000000.tar`` and so on, with ``per_tar`` clips each, sorted by id.

    The bytes depend on the clips alone. Tars appear when they are complete; an interrupted export continues. Returns
    the number of clips of each split.

    Raises PipelineError if ``to`` holds anything but this export, lies in the store's folders or cannot be written, or
    a split has no good clip.
    """
    to = Path(to)
    refuse_input(to, *(store.data / name for name in ("clips", "faces", "mfcc")))
    store.check()
    clips = {split: store.ids(split) for split in splits}
    for split, ids in clips.items():
        if not ids:
            raise PipelineError(f"The split {split} has no good clip to export.")
    counts = {split: len(ids) for split, ids in clips.items()}
    about = {"format": "webdataset", "clips": counts, "clips_per_tar": per_tar, "source": _source(store)}
    try:
        _claim(to, about)
        for unfinished in to.glob(".*.tmp"):  # from a killed export
            unfinished.unlink()
        with progress("export", sum(counts.values())) as advance:
            for split, ids in clips.items():
                for number, start in enumerate(range(0, len(ids), per_tar)):
                    part = ids[start : start + per_tar]
                    path = to / f"atvgnet-{split}-{number:06d}.tar"
                    if not path.exists():
                        _write_tar(path, store, part)
                    advance(len(part))
    except OSError as error:
        advice = "Free space or fix its permissions, then run again: finished tars are kept."
        raise PipelineError(f"cannot be written: {error}", subject=to, advice=advice) from error
    return counts


def _source(store: ClipStore) -> str:
    """A hash of everything that determines the tars: the indexes, since a shard's name is the hash of its content."""
    digest = hashlib.sha256(f"{VERSION}\n".encode())
    for reader, name in ((store.clips, MANIFEST), (store.faces, INDEX), (store.speech, INDEX)):
        digest.update((reader.folder / name).read_bytes())
    return digest.hexdigest()


def _claim(to: Path, about: dict[str, Any]) -> None:
    """Make sure that ``to`` is empty or holds this export."""
    to.mkdir(parents=True, exist_ok=True)
    mark, text = to / ABOUT, json.dumps(about, indent=2) + "\n"
    if not mark.exists():
        if any(not path.name.endswith(".tmp") for path in to.iterdir()):
            raise PipelineError(f"{to} is not empty, and what is in it is not an export. Name a new folder with --to.")
        with replacing(mark) as temporary:  # so that a full disk leaves no partial file
            temporary.write_text(text, encoding="utf-8")
    elif mark.read_bytes() != text.encode():
        fault = "holds an export of other clips, another split or another number of clips per tar"
        raise PipelineError(fault, subject=to, advice="Remove it, or name a new folder with --to.")


def _write_tar(path: Path, store: ClipStore, clips: Iterable[str]) -> None:
    with replacing(path) as temporary, tarfile.open(temporary, "w", format=tarfile.PAX_FORMAT, encoding="utf-8") as tar:
        for clip in clips:
            for suffix, data in files(store, clip):
                file = tarfile.TarInfo(f"{sample_key(clip)}.{suffix}")  # with fixed time, owner and permissions
                file.size = len(data)
                tar.addfile(file, io.BytesIO(data))
