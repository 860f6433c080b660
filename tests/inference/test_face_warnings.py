"""The face that is selected in a picture, and the warnings about it."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.config.params import WhichFace
from pipeline.faces.detect import Box
from pipeline.inference.face_warnings import check_face
from pipeline.inference.inputs import read_reference
from pipeline.inference.talking_head import TalkingHead
from pipeline.models.vgnet import VgNet
from pipeline.runtime.errors import PipelineError

Image = NDArray[np.uint8]


def test_the_reference_contains_the_whole_face(head: TalkingHead, face: Path) -> None:
    reference = read_reference(face, head.preprocessing)
    assert reference.image_HWC.shape == (128, 128, 3)
    assert reference.points_68x2.min() > 4
    assert reference.points_68x2.max() < 124


def with_faces(photograph: Image, *places: tuple[float, float]) -> Image:
    """Draw the photograph's face on grey for each place: x of its centre, and scale."""
    picture = np.full((300, 560, 3), 120, np.uint8)
    for x, scale in places:
        shift = np.array([x, 150]) - scale * np.array([225.0, 115.0])
        face = np.asarray(cv2.warpAffine(photograph, np.column_stack([np.eye(2) * scale, shift]), (560, 300)), np.uint8)
        left, right = max(0, int(x - 110 * scale)), int(x + 110 * scale)
        picture[:, left:right] = face[:, left:right]
    return picture


@pytest.mark.parametrize(
    ("places", "face", "nose_x", "warnings"),
    [
        ([(280, 0.9)], None, 280, []),
        ([(150, 1.0), (420, 0.9)], None, 150, ["shows 2 faces. The one at x = "]),
        ([(150, 1.0), (420, 0.9)], "right", 420, ["shows 2 faces. The one at x = "]),
        ([(34, 1.1), (380, 0.9)], None, 380, ["shows 2 faces. The one at x = "]),
        (
            [(34, 1.1), (380, 0.9)],
            "left",
            34,
            ["shows 2 faces. The one at x = ", "reaches the edge"],
        ),
        ([(34, 1.1), (380, 0.9)], 1, 34, ["shows 2 faces. The one at x = ", "reaches the edge"]),
        ([(34, 1.1), (380, 0.9)], 2, 380, ["2 faces. The one at x = 380, y = "]),
        ([(280, 0.45)], None, 280, ["pixels wide, and the video will be blurred. Give one of at least 80."]),
    ],
)
def test_the_selected_face_and_its_warnings(
    head: TalkingHead,
    photograph: Image,
    caplog: pytest.LogCaptureFixture,
    places: list[tuple[float, float]],
    face: WhichFace | None,
    nose_x: float,
    warnings: list[str],
) -> None:
    reference = read_reference(with_faces(photograph, *places), head.preprocessing, face or head.face)
    assert reference.choice is not None
    assert reference.choice.points_68x2[30, 0] == pytest.approx(nose_x, abs=15)  # the tip of the nose
    assert len(caplog.messages) == len(warnings)
    assert all(part in message for part, message in zip(warnings, caplog.messages, strict=True))


def test_a_face_number_that_does_not_exist(head: TalkingHead, photograph: Image) -> None:
    for number in (0, 3):
        with pytest.raises(PipelineError, match=f"shows no face number {number}, counted from the left from 1"):
            read_reference(with_faces(photograph, (34, 1.1), (380, 0.9)), head.preprocessing, number)


@pytest.mark.parametrize("side", ["left", "right", "top", "bottom"])
def test_a_face_at_an_edge_is_warned_of(
    head: TalkingHead, photograph: Image, caplog: pytest.LogCaptureFixture, side: str
) -> None:
    cut = {"left": (0, 195), "right": (0, 0), "top": (85, 60), "bottom": (0, 60)}[side]
    height, width = {"right": (300, 255), "bottom": (160, 400)}.get(side, (300, 300))
    picture = np.ascontiguousarray(photograph[cut[0] : cut[0] + height, cut[1] : cut[1] + width])
    read_reference(picture, head.preprocessing)
    (message,) = caplog.messages
    assert "reaches the edge of the picture" in message


def test_a_profile_is_rejected_and_a_turned_head_is_warned_of(
    photograph: Image, head: TalkingHead, caplog: pytest.LogCaptureFixture
) -> None:
    choice = read_reference(photograph, head.preprocessing).choice
    assert choice is not None
    assert not caplog.messages
    with pytest.raises(
        PipelineError, match=r"^a\.jpg shows a face \(at x = 2.., y = 1..\) that is turned .* a frontal one\.$"
    ):
        check_face("a.jpg", replace(choice, frontal=0.04), "prominent")
    with pytest.raises(
        PipelineError,
        match=r"another of 3 with --face prominent, largest, central, left or a number from the left\.$",
    ):
        check_face("a.jpg", replace(choice, frontal=0.0, faces=3), "right")
    check_face("a.jpg", replace(choice, frontal=0.2), "prominent", 128)
    assert caplog.messages == [
        "The face in a.jpg is turned to the side, and its mouth may move wrongly. Give a frontal one."
    ]


def test_a_wide_open_mouth_is_warned_of(photograph: Image, head: TalkingHead, caplog: pytest.LogCaptureFixture) -> None:
    choice = read_reference(photograph, head.preprocessing).choice
    assert choice is not None
    for opening, warnings in ((0.2, 0), (0.3, 1)):
        points_68x2 = choice.points_68x2.copy()
        eyes = float(np.linalg.norm(points_68x2[36:42].mean(axis=0) - points_68x2[42:48].mean(axis=0)))
        points_68x2[[67, 66, 65]] = points_68x2[[61, 62, 63]] + (0, opening * eyes)
        check_face("a.jpg", replace(choice, points_68x2=points_68x2), "prominent", 128)
        assert len(caplog.messages) == warnings
    assert "is wide open" in caplog.messages[0]


def test_a_larger_video_needs_a_larger_face(
    photograph: Image, head: TalkingHead, caplog: pytest.LogCaptureFixture
) -> None:
    choice = read_reference(photograph, head.preprocessing).choice
    assert choice is not None
    small = replace(choice, box=Box(0, 0, 120, 120))
    check_face("a.jpg", small, "prominent", 128)
    assert not caplog.messages
    check_face("a.jpg", small, "prominent", 256)
    assert caplog.messages == [
        "The face in a.jpg is 120 pixels wide, and the video will be blurred. Give one of at least 160."
    ]


def test_the_default_rule_is_that_of_the_training(head: TalkingHead) -> None:
    assert head.face == "prominent"
    trained = TalkingHead(head.atnet, VgNet(width=8), head.preprocessing, head.device, card={"face": "left"})
    assert trained.face == "left"
