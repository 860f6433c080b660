"""Each step of the preprocessing, compared with recordings of the original for two real pictures and a sentence."""

import json
from itertools import islice
from pathlib import Path

import cv2
import dlib
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.faces.detect import detect_faces
from pipeline.media import read_audio, read_frames
from pipeline.preprocessing.published.faces import box_around, cut_region, find_face, in_square
from pipeline.preprocessing.published.import_weights import read_basics
from pipeline.preprocessing.published.recipe import PublishedPreprocessing
from pipeline.preprocessing.published.sound import SpeechRecipe
from pipeline.runtime.errors import PipelineError
from pipeline.speech.classic_mfcc import classic_mfcc
from pipeline.speech.sound import Sound

Image = NDArray[np.uint8]
SPEAKERS = ["s20", "s31"]


@pytest.fixture(scope="module")
def golden_steps(original: Path) -> dict[str, NDArray[np.float64]]:
    with np.load(original / "golden_preprocessing.npz") as arrays:
        return {name: arrays[name].astype(np.float64) for name in arrays}


def picture(path: Path) -> Image:
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR_RGB), np.uint8)


@pytest.fixture(scope="module")
def speech(original: Path) -> NDArray[np.int16]:
    return read_audio(original / "demo" / "speech.wav")


@pytest.mark.parametrize("name", SPEAKERS)
def test_face_and_region(
    name: str,
    original: Path,
    preprocessing: PublishedPreprocessing,
    golden_steps: dict[str, NDArray[np.float64]],
) -> None:
    """The points and the picture are equal to the last bit."""
    image, region = (
        picture(original / "demo" / f"{name}.png"),
        picture(original / "demo" / f"{name}_region.png"),
    )
    face = find_face(image)
    assert face is not None
    box, points = face.box, face.points_68x2.astype(float)
    np.testing.assert_allclose(
        in_square(points, box, preprocessing.recipe.crop), golden_steps[f"{name}_crop_landmarks"], atol=1e-9
    )
    reference = preprocessing.reference(image)
    assert reference is not None
    np.testing.assert_array_equal(reference.image_HWC, region)
    again = find_face(reference.image_HWC)
    assert again is not None
    np.testing.assert_array_equal(again.points_68x2, golden_steps[f"{name}_region_landmarks"])


@pytest.mark.parametrize("name", SPEAKERS)
def test_landmarks_and_coefficients(
    name: str, preprocessing: PublishedPreprocessing, golden_steps: dict[str, NDArray[np.float64]]
) -> None:
    points = golden_steps[f"{name}_region_landmarks"]
    (landmarks_L,) = preprocessing.normalize(points[None], points)
    np.testing.assert_allclose(landmarks_L / 5, golden_steps[f"{name}_normalised"], atol=1e-7)
    np.testing.assert_allclose(preprocessing.project(landmarks_L), golden_steps[f"{name}_coefficients"], atol=1e-6)


@pytest.mark.parametrize("name", SPEAKERS)
def test_the_reference_for_speech_is_projected(
    name: str, preprocessing: PublishedPreprocessing, original: Path, golden_steps: dict[str, NDArray[np.float64]]
) -> None:
    basis, mean = (np.load(original / "basics" / f"{array}.npy") for array in ("U_lrw1", "mean_lrw1"))
    seen = preprocessing.reference_for_speech(5 * golden_steps[f"{name}_normalised"])
    np.testing.assert_allclose(seen, mean + basis[:, :6] @ golden_steps[f"{name}_coefficients"], atol=1e-5)
    assert np.abs(seen - 5 * golden_steps[f"{name}_normalised"]).max() == pytest.approx(0.0052, abs=1e-4)


@pytest.mark.slow
def test_the_detector_gets_one_grey_channel(corpora: Path) -> None:
    """With three equal channels its boxes differ in some of these frames."""
    detector, other = dlib.get_frontal_face_detector(), 0
    for path in sorted(corpora.glob("lrw_like/lipread_mp4/CHANGE/*/*.mp4")):
        for frame in islice(read_frames(path), 0, None, 9):
            grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
            boxes = [(box.left(), box.top(), box.right(), box.bottom()) for box in detector(grey, 1)]
            face = find_face(frame, "largest")
            assert face is not None
            ours = (face.box.left, face.box.top, face.box.right, face.box.bottom)
            assert ours == max(boxes, key=lambda box: (box[2] - box[0]) * (box[3] - box[1]))
            other += ours not in [(b.left, b.top, b.right, b.bottom) for b in detect_faces(np.dstack([grey] * 3))]
    assert other


def test_mfcc(speech: NDArray[np.int16], golden_steps: dict[str, NDArray[np.float64]]) -> None:
    silence = np.zeros(1920)
    rows = classic_mfcc(np.concatenate([silence, speech / 32768.0, silence]), SpeechRecipe())
    np.testing.assert_allclose(rows, golden_steps["mfcc"], atol=1e-9)


@pytest.mark.parametrize("chunk", [7, 32, 100])
def test_windows(
    chunk: int,
    speech: NDArray[np.int16],
    preprocessing: PublishedPreprocessing,
    golden_steps: dict[str, NDArray[np.float64]],
) -> None:
    """The original's 74, and one for the last, partial frame, which the original leaves out."""
    chunks = list(preprocessing.windows(Sound([speech]), 75, chunk))
    assert max(map(len, chunks)) <= chunk
    windows = np.concatenate(chunks)
    assert windows.shape == (75, 28, 12)
    np.testing.assert_allclose(windows[:74], golden_steps["mfcc_windows"], atol=1e-5)


def test_windows_of_short_speech_are_complete(preprocessing: PublishedPreprocessing) -> None:
    (windows,) = preprocessing.windows(Sound([np.zeros(10, np.int16)]), 1)
    assert windows.shape == (1, 28, 12)
    assert np.isfinite(windows).all()


def test_normalisation_keeps_movement_but_not_identity(
    preprocessing: PublishedPreprocessing, golden_steps: dict[str, NDArray[np.float64]]
) -> None:
    """Every reference becomes the resting face, and an opening mouth opens on it."""
    points = golden_steps["s20_region_landmarks"]
    turned = 2.5 * points @ np.array([[0.8, 0.6], [-0.6, 0.8]]) + 40
    opened = points.copy()
    opened[[65, 66, 67], 1] += 4
    rest, moved = preprocessing.normalize(np.stack([points, opened]), points)
    np.testing.assert_allclose(preprocessing.normalize(turned[None], turned)[0], rest, atol=1e-6)
    np.testing.assert_allclose(preprocessing.normalize(turned[None], points)[0], rest, atol=1e-6)
    gaps = [shape.reshape(68, 2)[66, 1] - shape.reshape(68, 2)[62, 1] for shape in (rest, moved)]
    assert gaps[1] > gaps[0] + 0.05
    placed = preprocessing.place(np.stack([rest, moved]), points)
    np.testing.assert_allclose(placed[0], points, atol=1e-3)
    assert placed[1, 66, 1] - placed[1, 62, 1] == pytest.approx(opened[66, 1] - opened[62, 1], abs=1)


def test_coefficients_are_exaggerated(preprocessing: PublishedPreprocessing) -> None:
    """All but the first, as in the original's inference."""
    rest = preprocessing.shapes.rest * 5
    coefficients = np.eye(6)
    meant = np.stack([preprocessing.project(landmarks) for landmarks in preprocessing.expand(rest, coefficients)])
    np.testing.assert_allclose(meant, np.diag([1, 2.2, 2.4, 2.6, 2.8, 3.0]), atol=1e-6)


@pytest.mark.parametrize("name", SPEAKERS)
def test_a_square_around_tracked_points_gives_nearly_the_same_region(
    name: str, original: Path, preprocessing: PublishedPreprocessing
) -> None:
    image, region = (
        picture(original / "demo" / f"{name}.png"),
        picture(original / "demo" / f"{name}_region.png"),
    )
    face = find_face(image)
    assert face is not None
    cut, _ = cut_region(
        image, box_around(face.points_68x2), face.points_68x2, preprocessing.template, preprocessing.recipe.crop
    )
    assert np.abs(cut.astype(int) - region).mean() < 1


def test_a_face_at_the_edge_of_the_picture(original: Path, preprocessing: PublishedPreprocessing) -> None:
    """The square extends beyond the picture; the part inside equals that of the whole picture."""
    image = picture(original / "demo" / "s31.png")
    face = find_face(image)
    assert face is not None
    box, points = face.box, face.points_68x2.astype(float)
    left, top = int(box.left) - 5, int(box.top) - 5
    shift = np.array([left, top])
    moved = type(box)(box.left - left, box.top - top, box.right - left, box.bottom - top)
    crop = preprocessing.recipe.crop
    whole, at = cut_region(image, box, points, preprocessing.template, crop)
    part, moved_at = cut_region(image[top:, left:], moved, points - shift, preprocessing.template, crop)
    np.testing.assert_allclose(at, moved_at, atol=1e-4)
    np.testing.assert_array_equal(part[40:, 40:], whole[40:, 40:])


def test_a_picture_without_a_face_has_no_reference(preprocessing: PublishedPreprocessing) -> None:
    assert preprocessing.reference(np.full((200, 200, 3), 127, np.uint8)) is None


def test_an_edited_record_is_used(preprocessing: PublishedPreprocessing, tmp_path: Path) -> None:
    preprocessing.save(tmp_path)
    loaded = PublishedPreprocessing.load(tmp_path)
    assert loaded.recipe == preprocessing.recipe
    for name, array in vars(preprocessing.shapes).items():
        np.testing.assert_array_equal(getattr(loaded.shapes, name), array)
    np.testing.assert_array_equal(loaded.template, preprocessing.template)
    before = [path.read_bytes() for path in sorted(tmp_path.iterdir())]
    loaded.save(tmp_path)
    assert [path.read_bytes() for path in sorted(tmp_path.iterdir())] == before

    path = tmp_path / "preprocessing.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps(record | {"exaggeration": [1] * 6}))
    plain = PublishedPreprocessing.load(tmp_path)
    meant = plain.project(plain.expand(plain.shapes.rest, np.full((1, 6), 0.5))[0])
    np.testing.assert_allclose(meant, 0.5, atol=1e-6)


@pytest.mark.parametrize(
    "change", [{"exaggeration": [1, 2]}, {"speech": {"windows": 1}}, {"crop": None}, {"more": 1}, {"exaggeration": "x"}]
)
def test_other_records_are_rejected(
    change: dict[str, object], preprocessing: PublishedPreprocessing, tmp_path: Path
) -> None:
    preprocessing.save(tmp_path)
    path = tmp_path / "preprocessing.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(PipelineError, match=r"not a record of the original's preprocessing .* import-upstream"):
        PublishedPreprocessing.load(tmp_path)


def test_missing_and_wrong_basics_are_rejected(original: Path, tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"mean_shape_img\.npy is missing\. Give the folder basics"):
        read_basics(tmp_path)
    for path in (original / "basics").glob("*.npy"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    assert set(read_basics(tmp_path)) >= {"S", "U_lrw1"}
    np.save(tmp_path / "S.npy", np.zeros((100, 68)))
    with pytest.raises(PipelineError, match=r"S\.npy is float64 \(100, 68\) where numbers \(100, 136\) belong"):
        read_basics(tmp_path)
    np.save(tmp_path / "S.npy", np.array([{}] * 3, object), allow_pickle=True)
    with pytest.raises(PipelineError, match=r"S\.npy is not a NumPy array .*pickle"):
        read_basics(tmp_path)
    (tmp_path / "S.npy").write_text("<html>")
    with pytest.raises(PipelineError, match=r"S\.npy is not a NumPy array"):
        read_basics(tmp_path)
