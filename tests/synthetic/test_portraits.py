"""Photographs made to speak. The one photograph that may be used here is the sample corpus's own."""

import hashlib
import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from PIL import Image
from skimage import data

from pipeline.corpora.portraits import TABLE
from pipeline.faces.detect import detect_faces
from pipeline.faces.shape_predictor import predict_landmarks
from pipeline.media.read import read_frames
from pipeline.runtime.errors import PipelineError
from pipeline.synthetic.build_portraits import PHOTOS, Recipe, build_portraits, choose_donors, summary, write_empty
from pipeline.synthetic.face import Face, Pose
from pipeline.synthetic.portrait import Portrait, Unusable, portrait_subject, read_portrait
from pipeline.synthetic.speakers import Light

pytestmark = pytest.mark.slow

KEY = "corpora.portraits"


@pytest.fixture(scope="module")
def smiling(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("photos") / "smiling.png"
    Image.fromarray(data.astronaut()[:300]).save(path)
    return path


@pytest.fixture(scope="module")
def portrait(smiling: Path) -> Portrait:
    return read_portrait(smiling)


def seen_opening(frame: NDArray[np.uint8]) -> float:
    """What dlib measures of the inner lips, over the mouth's width."""
    (points,) = predict_landmarks([frame], detect_faces(frame)[:1])
    return float((points[[65, 66, 67], 1] - points[[63, 62, 61], 1]).mean() / np.ptp(points[48:68, 0]))


def test_a_smile_is_closed_and_opens_as_told(portrait: Portrait) -> None:
    assert portrait.gap > 0.08  # it shows teeth
    face = Face(portrait_subject(portrait, Light(0.0, 0.0, 0.0), mirrored=False))
    openings = [seen_opening(face.render(Pose(opening=opening))[0]) for opening in (0.0, 0.4, 0.8)]
    assert openings[0] < 0.05
    assert openings[0] + 0.05 < openings[1] < openings[2] - 0.05


def test_closed_lips_show_painted_teeth(portrait: Portrait) -> None:
    """A face whose photograph shows none: the same one, said to have closed lips."""
    closed = Portrait(portrait.image_HWC, portrait.points_68, gap=0.0)
    subject = portrait_subject(closed, Light(0.0, 0.0, 0.0), mirrored=False)
    assert subject.teeth is None
    wide, shut = (Face(subject).render(Pose(opening=opening))[0].astype(int) for opening in (0.9, 0.0))
    x, y = np.round(subject.anatomy.neutral[68:77].mean(axis=0)).astype(int)
    assert wide[y - 2 : y + 2, x - 8 : x + 8].mean() > 1.3 * wide[y + 8 : y + 11, x - 8 : x + 8].mean()
    assert np.abs(wide - shut)[:100].max() <= 2  # nothing but the lower face moves


def test_a_smile_can_be_shown_again(portrait: Portrait) -> None:
    face = Face(portrait_subject(portrait, Light(0.0, 0.0, 0.0), mirrored=False))
    smile, rest = (face.render(Pose(smile=smile)) for smile in (1.0, 0.0))
    assert seen_opening(smile[0]) == pytest.approx(portrait.gap, abs=0.04)
    assert rest[1].opening < 1 < smile[1].opening


def test_closed_lips_without_a_smile_cannot_smile(portrait: Portrait) -> None:
    closed = Portrait(portrait.image_HWC, portrait.points_68, gap=0.0)
    face = Face(portrait_subject(closed, Light(0.0, 0.0, 0.0), mirrored=False))
    assert (face.render(Pose(smile=1.0))[0] == face.render(Pose())[0]).all()


def test_closed_lips_get_the_teeth_of_another(portrait: Portrait) -> None:
    """Whatever the size of the other photograph, and in the light of the face that gets them."""
    assert portrait.can_give_teeth
    closed = Portrait(portrait.image_HWC, portrait.points_68, gap=0.0)
    larger = cv2.resize(portrait.image_HWC, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    twice = Portrait(np.asarray(larger // 2, np.uint8), (portrait.points_68 + 0.5) * 2 - 0.5, portrait.gap)
    light, pose = Light(0.0, 0.0, 0.0), Pose(opening=0.7)
    own, given, painted = (
        Face(portrait_subject(closed, light, mirrored=False, donor=donor)).render(pose)[0].astype(int)
        for donor in (portrait, twice, None)
    )
    x, y = np.round(portrait_subject(closed, light, False).anatomy.neutral[68:77].mean(axis=0)).astype(int)
    teeth = slice(y - 3, y + 3), slice(x - 10, x + 10)
    assert np.abs(own - given)[teeth].mean() < 0.3 * np.abs(own - painted)[teeth].mean()


def test_only_what_lies_about_the_face_is_needed(portrait: Portrait) -> None:
    """Points are in the photograph's pixels: twice the photograph, twice the points, the same face."""
    larger = cv2.resize(portrait.image_HWC, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    twice = Portrait(np.asarray(larger, np.uint8), (portrait.points_68 + 0.5) * 2 - 0.5, portrait.gap)
    light = Light(0.0, 0.0, 0.0)
    one, two = (
        Face(portrait_subject(each, light, mirrored=False)).render(Pose(opening=0.5))[0] for each in (portrait, twice)
    )
    assert np.abs(one.astype(int) - two)[60:240, 90:270].mean() < 3


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda image: np.full_like(image, 90), "no face found"),
        (lambda image: cv2.resize(image, None, fx=0.45, fy=0.45, interpolation=cv2.INTER_AREA), "pixels wide, and 70"),
        (lambda image: np.ascontiguousarray(image[:, 190:]), "reaches the edge of the picture"),
    ],
)
def test_what_cannot_be_used_is_refused(change: object, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    assert callable(change)
    Image.fromarray(change(np.ascontiguousarray(data.astronaut()[:300]))).save(path)
    with pytest.raises(Unusable, match=reason):
        read_portrait(path)


def test_a_broken_file_is_refused(smiling: Path, tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(smiling.read_bytes()[:5000])
    with pytest.raises(Unusable, match="damaged or incomplete"):
        read_portrait(path)


@pytest.fixture(scope="module")
def photos(smiling: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A face, its copy, its mirror image in a subfolder, and a picture without a face."""
    root: Path = tmp_path_factory.mktemp("portraits")
    shutil.copy(smiling, root / "anna.png")
    shutil.copy(smiling, root / "zoe.png")
    (root / "more").mkdir()
    with Image.open(smiling) as image:
        image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(root / "more" / "berta.png")
    Image.fromarray(np.full((80, 80, 3), 120, np.uint8)).save(root / "wall.jpg")
    return root


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def built(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, Path]:
    folder: Path = tmp_path_factory.mktemp("data") / "portraits"
    return build_portraits(photos, KEY, Recipe(1, 0), folder, jobs=2), folder


def test_donors_are_other_pictures_in_an_order_that_additions_keep() -> None:
    hashes = {Path(name): name for name in "abcdefgh"} | {Path("copy"): "a", Path("gone"): ""}
    donors = choose_donors(Path("a"), hashes)
    assert len(donors) == 5
    assert not {Path("a"), Path("copy"), Path("gone")} & set(donors)
    more = choose_donors(Path("a"), {**hashes, Path("new"): "new"})
    assert [path for path in more if path != Path("new")] == donors[: len(more) - (Path("new") in more)]


def test_the_first_clip_can_begin_with_the_smile(smiling: Path, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    shutil.copy(smiling, tmp_path / "photos")
    for smile in (False, True):
        out = tmp_path / str(smile)
        build_portraits(tmp_path / "photos", KEY, Recipe(1, 0, smile), out, jobs=1)
        first, *_, last = read_frames(next(out.rglob("00.mpg")))
        assert (seen_opening(first) > 0.06) == smile
        assert seen_opening(last) < 0.06


def test_every_photograph_has_a_row(built: tuple[pd.DataFrame, Path]) -> None:
    table, folder = built
    assert table.set_index("photo")["reason"].to_dict() == {
        "anna": "",
        "more/berta": "",
        "wall": "no face found",
        "zoe": "the same picture as anna",
    }
    assert summary(table) == "2 of 4 photographs speak. 1: no face found; 1: the same picture as anna"
    assert pd.read_csv(folder / PHOTOS, keep_default_na=False).equals(table)
    clips = pq.read_table(folder / TABLE).to_pylist()
    assert [(clip["id"], clip["speaker"]) for clip in clips] == [("anna/00", "anna"), ("more/berta/00", "more/berta")]
    assert all((folder / clip["path"]).exists() and clip["text"] for clip in clips)


def test_an_interrupted_run_goes_on_and_gives_the_same(
    built: tuple[pd.DataFrame, Path], photos: Path, tmp_path: Path
) -> None:
    whole = built[1]
    again = tmp_path / "portraits"
    shutil.copytree(whole, again)
    kept, torn = sorted(path for path in again.iterdir() if any(path.glob("*.mpg")))
    torn.rename(again / f".{torn.name}.unfinished")
    (again / TABLE).unlink()
    before = (kept / "00.mpg").stat().st_mtime_ns
    build_portraits(photos, KEY, Recipe(1, 0), again, jobs=1)
    assert digests(again) == digests(whole)
    assert (kept / "00.mpg").stat().st_mtime_ns == before


def test_without_portraits_the_tables_are_empty(tmp_path: Path) -> None:
    write_empty(tmp_path / "portraits")
    assert pq.read_table(tmp_path / "portraits" / TABLE).num_rows == 0


def test_a_folder_without_a_usable_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"corpora\.portraits\.root: the folder .* does not exist. Put photographs"):
        build_portraits(tmp_path / "none", KEY, Recipe(1, 0), tmp_path / "out", jobs=1)
    (tmp_path / "photos").mkdir()
    with pytest.raises(PipelineError, match=r"no picture \(\.jpg"):
        build_portraits(tmp_path / "photos", KEY, Recipe(1, 0), tmp_path / "out", jobs=1)
    Image.fromarray(np.full((80, 80, 3), 120, np.uint8)).save(tmp_path / "photos" / "wall.jpg")
    with pytest.raises(PipelineError, match=r"can be made to speak\. 1: no face found"):
        build_portraits(tmp_path / "photos", KEY, Recipe(1, 0), tmp_path / "out", jobs=1)
