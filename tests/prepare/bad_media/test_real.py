"""The same with clips of real speakers, in GRID's and LRW's layouts."""

from dataclasses import asdict
from pathlib import Path

import dlib
import numpy as np
import pytest

from pipeline.config.params import Extract, Landmarks, Params
from pipeline.corpora.grid import GridParams
from pipeline.corpora.lrw import LrwParams
from pipeline.faces.shape_predictor import shape_predictor_path
from pipeline.media import read_frames
from tests.prepare.bad_media.stages import Outcome, run_stages

pytestmark = pytest.mark.slow

EXTRACT, LANDMARKS = Extract(max_lost=1.0), Landmarks(max_lost=1.0)
# Of each clip: extract's verdict, its frames, and how its reason (or warning) begins.
GRID = {
    "s1/bbaf3s.mpg": ("ok", 75, ""),
    "s1/lrae3s.mpg": ("ok", 74, ""),
    "s1/sgib8n.mpg": ("ok", 75, "damaged: 1 frame concealed"),
    "s20/brbk7n.mpg": ("ok", 75, ""),
    "s31/bgiq6p.mpg": ("ok", 75, ""),
    "s1/truncated.mpg": ("ok", 37, "damaged: 1 frame concealed"),
    "s1/headless.mpg": ("ok", 27, "damaged: 1 packet lost"),
    "s1/holes.mpg": ("rejected", 75, "too many damaged frames"),
    "s1/endless.mpg": ("rejected", 0, "a pipe or device, not a file"),
}
LRW = {  # how far the nose is from the middle of the eyes' outer corners, as a share of their distance: 0 is straight
    "HOUSE/train/HOUSE_00002.mp4": 0.31,
    "EVERY/test/EVERY_00001.mp4": 0.25,
    "EVERY/train/EVERY_00002.mp4": 0.09,
    "FAMILY/val/FAMILY_00003.mp4": 0.0,
    "CHANGE/train/CHANGE_00003.mp4": 0.0,
}


@pytest.fixture(scope="module")
def grid(corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Real clips, and what bad drives and bad copies make of one."""
    root = tmp_path_factory.mktemp("real") / "grid"
    for name in GRID:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        if (corpora / "grid" / name).exists():
            (root / name).symlink_to(corpora / "grid" / name)
    whole = (corpora / "grid/s1/bbaf3s.mpg").read_bytes()
    (root / "s1/truncated.mpg").write_bytes(whole[: len(whole) // 2])
    (root / "s1/headless.mpg").write_bytes(whole[len(whole) // 2 :])
    (root / "s1/endless.mpg").symlink_to("/dev/zero")
    holes = bytearray(whole)
    for at in range(20_000, len(holes) - 2000, 8_000):
        holes[at : at + 1000] = np.random.default_rng(at).integers(0, 256, 1000, np.uint8).tobytes()
    (root / "s1/holes.mpg").write_bytes(holes)
    settings = GridParams(root=str(root), val=0.2, test=0.2)
    return run_stages(
        root, Params(corpus="grid", corpora={"grid": asdict(settings)}, extract=EXTRACT, landmarks=LANDMARKS)
    )


@pytest.fixture(scope="module")
def words(corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Heads turned to the side, and straight ones."""
    root = tmp_path_factory.mktemp("real") / "lrw"
    for name in LRW:
        (root / "lipread_mp4" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "lipread_mp4" / name).symlink_to(corpora / "lrw_like/lipread_mp4" / name)
    settings = LrwParams(root=str(root))
    return run_stages(
        root, Params(corpus="lrw", corpora={"lrw": asdict(settings)}, extract=EXTRACT, landmarks=LANDMARKS)
    )


@pytest.mark.parametrize("name", GRID)
def test_grid(grid: Outcome, name: str) -> None:
    status, frames, reason = GRID[name]
    row = grid.clips[name]
    assert (row.status, row.frames) == (status, frames), row.reason
    assert row.reason.startswith(reason)
    assert bool(row.reason) == bool(reason)
    assert (name in grid.faces) == (status == "ok")


def test_halves_of_a_clip_show_what_the_whole_shows(grid: Outcome) -> None:
    """Up to the cut, and after it from the first whole picture on."""
    whole, first, second = (grid.face(f"s1/{name}.mpg") for name in ("bbaf3s", "truncated", "headless"))
    assert np.abs(first["points"] - whole["points"][:37]).mean(axis=(1, 2))[:36].max() < 1.0
    assert np.abs(second["points"] - whole["points"][-27:]).mean(axis=(1, 2)).max() < 1.0
    samples = grid.samples("s1/bbaf3s.mpg").astype(float)
    assert np.corrcoef(grid.samples("s1/truncated.mpg")[: 30 * 640], samples[: 30 * 640])[0, 1] > 0.99


def test_a_face_the_detector_misses_is_followed_or_filled_in(grid: Outcome) -> None:
    face = grid.face("s31/bgiq6p.mpg")
    assert grid.faces["s31/bgiq6p.mpg"]["status"] == "ok"
    steps = np.linalg.norm(np.diff(face["points"].mean(axis=1), axis=0), axis=1)
    assert steps.max() < 6  # the points never leave the face


@pytest.mark.parametrize("name", LRW)
def test_turned_heads_are_kept_and_seen_as_turned(words: Outcome, name: str) -> None:
    face = words.face(name)
    assert (words.clips[name].frames, words.faces[name]["status"]) == (29, "ok")
    assert face["found"].all()
    left, right, nose = (face["points"][:, point, 0] for point in (36, 45, 30))
    turned = (nose - (left + right) / 2) / (right - left)
    assert np.median(np.abs(turned)) == pytest.approx(LRW[name], abs=0.06)
    detector, predictor = dlib.get_frontal_face_detector(), dlib.shape_predictor(str(shape_predictor_path()))
    frames = list(read_frames(words.root / "lipread_mp4" / name))
    for number in range(0, 29, 7):  # by dlib alone, to whole pixels
        shape = predictor(frames[number], detector(frames[number])[0])
        naive = np.array([(point.x, point.y) for point in shape.parts()])
        assert np.linalg.norm(face["points"][number] - naive, axis=1).mean() < 2.5
