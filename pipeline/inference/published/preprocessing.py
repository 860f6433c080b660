"""The original's preprocessing, recorded beside the models that were imported from it."""

import json
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.config.params import WhichFace
from pipeline.inference.preprocessing.base import Reference
from pipeline.inference.published.hearing import hear
from pipeline.inference.published.landmarks import Expressions, resting
from pipeline.inference.published.mfcc import Speech, stream_windows
from pipeline.inference.published.region import Crop, cut_region, find_face
from pipeline.media import Damage
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath
from pipeline.speech.sound import Sound
from pipeline.speech.streaming import CHUNK

ARRAYS = "preprocessing.npz"
RECORD = "preprocessing.json"
"""Lies in a bundle of published networks and says how their makers prepared what the networks see."""


@dataclass(frozen=True)
class Recipe:
    """The numbers, as they stand in preprocessing.json; a number changed there is followed."""

    speech: Speech = field(default_factory=Speech)
    crop: Crop = field(default_factory=Crop)
    factor: float = 5.0
    """By which normalised landmarks are multiplied before the PCA and before VG-net."""
    exaggeration: tuple[float, ...] = (1.0, 2.2, 2.4, 2.6, 2.8, 3.0)
    """By which AT-net's coefficients are multiplied before VG-net."""


@dataclass(frozen=True)
class PublishedPreprocessing:
    """As `Preprocessing`. `template` (68, 2): where the points lie in the region."""

    recipe: Recipe
    shapes: Expressions
    template: NDArray[np.float64]

    @classmethod
    def from_basics(cls, basics: dict[str, NDArray[np.float64]]) -> "PublishedPreprocessing":
        """That of the published weights, from the arrays published with them."""
        rest = resting(basics["mean_shape_norm"].reshape(136), basics["S"])
        recipe = Recipe()
        basis = basics["U_lrw1"][:, : len(recipe.exaggeration)]
        shapes = Expressions(basics["mean_shape_img"], rest, basics["S"], basics["mean_lrw1"], basis)
        return cls(recipe, shapes, basics["base_68"])

    def reference(self, image_HWC: NDArray[np.uint8], face: WhichFace = "prominent") -> Reference | None:
        """As `Preprocessing`."""
        choice = find_face(image_HWC, face)
        if choice is None:
            return None
        points = choice.points_68x2.astype(np.float64)
        cut = cut_region(image_HWC, choice.box, points, self.template, self.recipe.crop)
        return Reference(*cut, choice, choice.points_68x2)

    def hear(self, path: StrPath, damage: Damage) -> Iterator[NDArray[np.int16]]:
        """As `Preprocessing`."""
        return hear(path, damage)

    def windows(self, sound: Sound, frames: int | None = None, chunk: int = CHUNK) -> Iterator[NDArray[np.float32]]:
        """As `Preprocessing`."""
        return stream_windows(sound, self.recipe.speech, frames, chunk)

    def normalize(
        self, points_T68x2: NDArray[np.floating], reference_68x2: NDArray[np.floating]
    ) -> NDArray[np.float32]:
        """As `Preprocessing`."""
        return (self.recipe.factor * self.shapes.normalize(points_T68x2, reference_68x2)).astype(np.float32)

    def project(self, landmarks_L: NDArray[np.floating]) -> NDArray[np.float32]:
        """As `Preprocessing`."""
        return np.asarray((landmarks_L - self.shapes.mean) @ self.shapes.basis, np.float32)

    def expand(self, reference_L: NDArray[np.floating], coefficients_TK: NDArray[np.floating]) -> NDArray[np.float32]:
        """As `Preprocessing`; exaggerated, and the same for every reference, which the coefficients were told of."""
        return np.asarray(
            self.shapes.mean + (coefficients_TK * self.recipe.exaggeration) @ self.shapes.basis.T, np.float32
        )

    def seen_beside_speech(self, reference_L: NDArray[np.floating]) -> NDArray[np.float32]:
        """As `Preprocessing`: what the coefficients say of it, which is not exaggerated."""
        return np.asarray(self.shapes.mean + self.project(reference_L) @ self.shapes.basis.T, np.float32)

    def place(self, landmarks_TL: NDArray[np.floating], reference_68x2: NDArray[np.floating]) -> NDArray[np.float32]:
        """As `Preprocessing`."""
        return self.shapes.place(landmarks_TL / self.recipe.factor, reference_68x2).astype(np.float32)

    def save(self, folder: StrPath) -> None:
        """Write preprocessing.json, the numbers, and preprocessing.npz, the arrays; the same bytes for the same."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(folder / ARRAYS, template=self.template, **vars(self.shapes))
        (folder / RECORD).write_text(json.dumps(asdict(self.recipe), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: StrPath) -> "PublishedPreprocessing":
        """Read it back; PipelineError when a file is missing or no such record."""
        folder = Path(folder)
        try:
            record: dict[str, Any] = json.loads((folder / RECORD).read_text(encoding="utf-8"))
            exaggeration = tuple(float(one) for one in record.pop("exaggeration"))
            speech, crop = Speech(**record.pop("speech")), Crop(**record.pop("crop"))
            recipe = Recipe(speech, crop, exaggeration=exaggeration, **record)
            with np.load(folder / ARRAYS, allow_pickle=False) as arrays:
                template = arrays["template"]
                shapes = Expressions(**{name: arrays[name] for name in arrays if name != "template"})
            if shapes.basis.shape[1] != len(recipe.exaggeration):
                raise ValueError(f"exaggeration needs {shapes.basis.shape[1]} factors")
        except (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise PipelineError(
                f"{folder / RECORD} and {ARRAYS} are not a record of the original's preprocessing ({error}). "
                "Run `atvgnet import-upstream` again."
            ) from error
        return cls(recipe, shapes, template)
