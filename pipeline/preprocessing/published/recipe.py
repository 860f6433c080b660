"""The preprocessing of the published weights, and its record in the folder of the imported models."""

# ruff: noqa: D102  # `Preprocessing` documents the methods
import json
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.config.params import WhichFace
from pipeline.media import Damage
from pipeline.preprocessing.base import Preprocessing, Reference
from pipeline.preprocessing.published.faces import CropRecipe, Expressions, cut_region, find_face, resting
from pipeline.preprocessing.published.sound import SpeechRecipe, read_speech, stream_windows
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath
from pipeline.speech.sound import Sound
from pipeline.speech.streaming import CHUNK

ARRAYS = "preprocessing.npz"
RECORD = "preprocessing.json"
"""File in a bundle of published networks with the parameters of their preprocessing."""


@dataclass(frozen=True)
class Recipe:
    """The parameters in preprocessing.json. They may be edited there."""

    speech: SpeechRecipe = field(default_factory=SpeechRecipe)
    crop: CropRecipe = field(default_factory=CropRecipe)
    factor: float = 5.0
    """Factor on normalised landmarks before the PCA and before VG-net."""
    exaggeration: tuple[float, ...] = (1.0, 2.2, 2.4, 2.6, 2.8, 3.0)
    """Factors on AT-net's coefficients before VG-net."""


@dataclass(frozen=True)
class PublishedPreprocessing(Preprocessing):
    """The preprocessing of the original release. `template` (68, 2) has the positions of the points in the region."""

    recipe: Recipe
    shapes: Expressions
    template: NDArray[np.float64]

    @classmethod
    def from_basics(cls, basics: dict[str, NDArray[np.float64]]) -> "PublishedPreprocessing":
        """Make the preprocessing from the arrays that are published with the weights."""
        rest = resting(basics["mean_shape_norm"].reshape(136), basics["S"])
        recipe = Recipe()
        basis = basics["U_lrw1"][:, : len(recipe.exaggeration)]
        shapes = Expressions(basics["mean_shape_img"], rest, basics["S"], basics["mean_lrw1"], basis)
        return cls(recipe, shapes, basics["base_68"])

    def reference(self, image_HWC: NDArray[np.uint8], face: WhichFace = "prominent") -> Reference | None:
        choice = find_face(image_HWC, face)
        if choice is None:
            return None
        points = choice.points_68x2.astype(np.float64)
        region_HWC, region_68x2 = cut_region(image_HWC, choice.box, points, self.template, self.recipe.crop)
        return Reference(region_HWC, region_68x2, choice, choice.points_68x2)

    def read_speech(self, path: StrPath, damage: Damage) -> Iterator[NDArray[np.int16]]:
        return read_speech(path, damage)

    def windows(self, sound: Sound, frames: int | None = None, chunk: int = CHUNK) -> Iterator[NDArray[np.float32]]:
        return stream_windows(sound, self.recipe.speech, frames, chunk)

    def normalize(
        self, points_T68x2: NDArray[np.floating], reference_68x2: NDArray[np.floating]
    ) -> NDArray[np.float32]:
        return (self.recipe.factor * self.shapes.normalize(points_T68x2, reference_68x2)).astype(np.float32)

    def project(self, landmarks_L: NDArray[np.floating]) -> NDArray[np.float32]:
        return np.asarray((landmarks_L - self.shapes.mean) @ self.shapes.basis, np.float32)

    def expand(self, reference_L: NDArray[np.floating], coefficients_TK: NDArray[np.floating]) -> NDArray[np.float32]:
        # Exaggerated, and independent of the reference, which AT-net has as an input.
        return np.asarray(
            self.shapes.mean + (coefficients_TK * self.recipe.exaggeration) @ self.shapes.basis.T, np.float32
        )

    def reference_for_speech(self, reference_L: NDArray[np.floating]) -> NDArray[np.float32]:
        # Projected onto the PCA, without exaggeration.
        return np.asarray(self.shapes.mean + self.project(reference_L) @ self.shapes.basis.T, np.float32)

    def place(self, landmarks_TL: NDArray[np.floating], reference_68x2: NDArray[np.floating]) -> NDArray[np.float32]:
        return self.shapes.place(landmarks_TL / self.recipe.factor, reference_68x2).astype(np.float32)

    def save(self, folder: StrPath) -> None:
        """Write preprocessing.json and preprocessing.npz. Equal content gives equal bytes."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(folder / ARRAYS, template=self.template, **vars(self.shapes))
        (folder / RECORD).write_text(json.dumps(asdict(self.recipe), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: StrPath) -> "PublishedPreprocessing":
        """Read both files. Raises PipelineError if one is missing or is not such a record."""
        folder = Path(folder)
        try:
            record: dict[str, Any] = json.loads((folder / RECORD).read_text(encoding="utf-8"))
            exaggeration = tuple(float(factor) for factor in record.pop("exaggeration"))
            speech, crop = SpeechRecipe(**record.pop("speech")), CropRecipe(**record.pop("crop"))
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
