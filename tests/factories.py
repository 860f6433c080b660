"""Material that tests of several packages build: bundles, shards, noise."""

from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from pipeline.bundles.bundle import write_card
from pipeline.bundles.network_files import save_model
from pipeline.faces.crop import crop_geometry, encode_jpeg
from pipeline.landmarks.pca import LandmarkModel, fit_model
from pipeline.models.atnet import AtNet
from pipeline.models.vgnet import VgNet
from pipeline.runtime.clock import RATE
from pipeline.shards.build import build_shards, write_index
from pipeline.shards.clip_store import ClipStore
from pipeline.shards.plan import Item, row_key
from pipeline.shards.table import array_field, jpeg_field
from pipeline.speech.features import SpeechFeatures

ROOT = Path(__file__).parents[1]
FACE = ROOT / "docs/pictures/face.jpg"
MFCC = SpeechFeatures.of(0.025)


def fitted(seed: int, components: int = 6) -> LandmarkModel:
    draw = np.random.default_rng(seed)
    face = draw.normal(64, 20, (68, 2))
    return fit_model([face + draw.normal(0, 1, (20, 68, 2)) for _ in range(3)], components)


def write_bundle(folder: Path, seed: int = 0, speech: SpeechFeatures = MFCC, size: int = 128) -> Path:
    """Write a bundle like that of the stages, with small untrained networks."""
    torch.manual_seed(seed)
    landmarks = fitted(seed)
    landmarks.save(folder / "landmarks")
    compatibility = {"landmarks": landmarks.digest}
    atnet = AtNet(width=8, columns=speech.coefficients - 1)
    save_model(folder / "atnet", "model", atnet, {**compatibility, "speech": speech.record()})
    save_model(
        folder / "vgnet", "model", VgNet(width=8, size=size), {**compatibility, "crop": asdict(crop_geometry(size))}
    )
    write_card(folder, {"name": "small", "metrics": {"at_vg": {"lmd": 1.0}}, "licence": "MIT"})
    return folder


def noise(seconds: float, seed: int = 0) -> NDArray[np.int16]:
    return (np.random.default_rng(seed).standard_normal(int(seconds * RATE)) * 3000).astype(np.int16)


FRAMES = {"a": 20, "b": 25, "c": 30, "d": 20}


def points(clip: str) -> np.ndarray:
    random = np.random.default_rng(ord(clip))
    circle = np.exp(1j * np.linspace(0, 6, 68))
    base = np.stack([circle.real, circle.imag], axis=1) * 40 + 150
    return (base + random.normal(0, 2, (FRAMES[clip], 68, 2))).astype(np.float32)


def picture(frame: int) -> np.ndarray:
    made = np.full((128, 128, 3), (200, 30, 60), np.uint8)
    cv2.circle(made, (64, 64), 2 + frame, (10, 250, 10), -1)
    return made


def face_row(clip: str) -> dict[str, object]:
    return {
        "points": points(clip),
        "transform": np.tile(np.array([[0.5, 0, -10], [0, 0.5, -10]], np.float32), (FRAMES[clip], 1, 1)),
        "jpeg": [encode_jpeg(picture(frame), 95) for frame in range(FRAMES[clip])],
    }


def mfcc_row(clip: str) -> dict[str, object]:
    """With one variant, in which the sound is twice as fast."""
    rows = np.random.default_rng(ord(clip)).normal(size=(4 * FRAMES[clip], 13))
    return {"mfcc": rows, "mfcc_1": rows[::2], "rate_1": 2.0}


MFCC_FIELDS = [
    array_field("mfcc", "float32", 13),
    array_field("mfcc_1", "float32", 13),
    pa.field("rate_1", pa.float64()),
]


def write_store(root: Path) -> ClipStore:
    """Shards of four clips as the stages write them; d was rejected."""
    faces, mfcc = root / "faces", root / "mfcc"
    items = [Item(clip, row_key(clip), clip) for clip in FRAMES]
    fields = [array_field("points", "float32", 68, 2), array_field("transform", "float32", 2, 3), jpeg_field("jpeg")]
    place = [pa.field("shard", pa.string()), pa.field("row", pa.int32())]
    cells = build_shards(faces, items, face_row, fields, per_shard=3, jobs=1, title="faces")
    index = [
        {
            "id": clip,
            "split": "val" if clip == "c" else "train",
            "frames": FRAMES[clip],
            "status": "rejected" if clip == "d" else "ok",
            "shard": cells[clip]["shard"],
            "row": cells[clip]["row"],
        }
        for clip in FRAMES
    ]
    words = [pa.field(name, pa.string()) for name in ("id", "split", "status")]
    write_index(faces, index, pa.schema([*words, pa.field("frames", pa.int32()), *place]))
    cells = build_shards(mfcc, items, mfcc_row, MFCC_FIELDS, per_shard=3, jobs=1, title="mfcc")
    write_index(mfcc, cells.rows(), pa.schema([pa.field("id", pa.string()), MFCC_FIELDS[2], *place]))
    return ClipStore(root)
