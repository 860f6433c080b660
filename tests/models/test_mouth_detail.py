"""The reference's pixels that VG-net sees moved by the landmarks, and the maps of the lips."""

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pipeline.bundles.location import pretrained_folder
from pipeline.faces.crop import CROP
from pipeline.landmarks.pca import FACTOR, LandmarkModel
from pipeline.landmarks.points import STABLE
from pipeline.landmarks.similarity import fit_similarity
from pipeline.models.folding import for_inference
from pipeline.models.mouth_detail import MouthDetail, lip_maps, motion_field
from pipeline.models.vgnet import VgNet
from pipeline.training.random_weights import init_generator

MODEL = LandmarkModel.load(pretrained_folder() / "landmarks")
LOWER_LIP = [*range(55, 60), *range(65, 68)]
SIDE = 128


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def mouth(opening: float) -> NDArray[np.float32]:
    """Normalised landmarks (136,) of the mean face with the lower lip moved down."""
    points_68x2 = MODEL.mean.reshape(68, 2).copy()
    points_68x2[LOWER_LIP, 1] += opening
    return points_68x2.reshape(-1).astype(np.float32)


def pixels(detail: MouthDetail, landmarks_L: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(detail._placed(torch.from_numpy(landmarks_L)).numpy() * SIDE - 0.5)


@pytest.fixture
def detail() -> MouthDetail:
    detail = MouthDetail(8, 16)
    shares = (np.array(CROP.points) + 0.5) / SIDE
    fitted = fit_similarity(FACTOR * MODEL.template[STABLE], shares)
    detail.place(fitted[0, 0], fitted[0, 2], fitted[1, 2])
    return detail


def test_landmarks_are_placed_as_faces_lie_in_their_crops(detail: MouthDetail) -> None:
    placed_68x2 = pixels(detail, np.asarray(5 * MODEL.template, np.float32).reshape(-1))
    np.testing.assert_allclose(placed_68x2[STABLE], CROP.points, atol=1.0)


def test_reduced_precision_leaves_the_place(detail: MouthDetail) -> None:
    reduced = for_inference(detail, torch.device("cpu"), "bfloat16")
    assert torch.equal(reduced.placement, detail.placement)


def test_the_mouth_moves_with_its_landmarks(detail: MouthDetail) -> None:
    """A dot on the edge of the lower lip is found again where the moved point is."""
    still, moved = mouth(0.0), mouth(0.15)
    for point in (56, 57, 58):
        image_HWC = np.zeros((SIDE, SIDE, 3), np.float32)
        x, y = pixels(detail, still)[point]
        cv2.circle(image_HWC, (round(float(x)), round(float(y))), 2, (1, 1, 1), -1)
        image_1CHW = torch.from_numpy(image_HWC).permute(2, 0, 1)[None]
        seen_CHW = detail.inputs(image_1CHW, torch.from_numpy(still)[None], torch.from_numpy(moved)[None, None])[0]
        rows, columns = np.mgrid[: seen_CHW.shape[1], : seen_CHW.shape[2]]
        weights = seen_CHW[0].numpy()
        found = np.average(columns, weights=weights) + 24, np.average(rows, weights=weights) + 56
        np.testing.assert_allclose(found, pixels(detail, moved)[point], atol=1.2)


def test_motion_is_that_of_the_landmarks_and_none_at_the_border() -> None:
    points_1P2 = torch.rand(1, 68, 2) * 0.6 + 0.2
    places = points_1P2[0, :5]
    motion_1P2 = torch.randn(1, 68, 2) * 0.02
    for place, motion in zip(places, motion_1P2[0], strict=False):
        field = motion_field(points_1P2, points_1P2 + motion_1P2, place[1:], place[:1])[0, :, 0, 0]
        torch.testing.assert_close(field, motion, atol=0.01, rtol=0)
    edge = motion_field(points_1P2, points_1P2 + motion_1P2, torch.tensor([0.0]), torch.tensor([0.0, 1.0]))
    torch.testing.assert_close(edge, torch.zeros_like(edge), atol=1e-4, rtol=0)


def test_the_inside_of_the_mouth_is_the_polygon_of_the_inner_lips(detail: MouthDetail) -> None:
    places = (torch.arange(SIDE) + 0.5) / SIDE
    landmarks_L = mouth(0.2)
    maps_CHW = lip_maps(detail._placed(torch.from_numpy(landmarks_L)[None]), places, places)[0].numpy()
    points_68x2 = pixels(detail, landmarks_L)
    for map_HW, rows in ((maps_CHW[0], slice(60, 68)), (maps_CHW[1], slice(48, 60))):
        drawn_HW = np.zeros((SIDE, SIDE), np.uint8)
        cv2.fillPoly(drawn_HW, [np.round(points_68x2[rows]).astype(np.int32)], 1)
        sure_HW = np.abs(map_HW - 0.5) > 0.4
        assert (map_HW[sure_HW] > 0.5).sum() > 30
        wrong = (map_HW[sure_HW] > 0.5) != (drawn_HW[sure_HW] == 1)
        assert wrong.sum() <= 2  # OpenCV rounds corners to whole pixels


def test_closed_lips_have_no_inside(detail: MouthDetail) -> None:
    points_68x2 = MODEL.mean.reshape(68, 2).copy()
    points_68x2[[67, 66, 65]] = points_68x2[[61, 62, 63]]
    places = (torch.arange(SIDE) + 0.5) / SIDE
    flat = torch.from_numpy(points_68x2.reshape(1, -1).astype(np.float32))
    assert lip_maps(detail._placed(flat), places, places)[0, 0].max() < 0.3


@torch.inference_mode()
@pytest.mark.parametrize("size", [128, 256])
def test_a_network_keeps_its_attention_and_most_colours_when_detail_is_added(size: int) -> None:
    plain, detailed = VgNet(width=8, size=size).eval(), VgNet(width=8, size=size, mouth_detail=True).eval()
    init_generator(detailed, torch.randn(8, 136))
    plain.load_state_dict({key: x for key, x in detailed.state_dict().items() if not key.startswith("mouth_detail")})
    inputs = torch.rand(1, 3, size, size) * 2 - 1, torch.randn(1, 136), torch.randn(1, 2, 136)
    before, after = plain(*inputs), detailed(*inputs)
    assert torch.equal(before.attention_BT1HW, after.attention_BT1HW)
    part = (..., slice(7 * size // 16, 15 * size // 16), slice(3 * size // 16, 13 * size // 16))
    difference = (after.colour_BTCHW - before.colour_BTCHW).abs()
    assert 0 < difference[part].max() < 2 * 0.27
    difference[part] = 0
    assert difference.max() == 0
