"""The detector is faster than dlib's and finds the same boxes."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import dlib
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.faces.detect import Box, detect_faces, levels_above
from pipeline.media import read_frames
from pipeline.media.upright import MAX_SIDE
from pipeline.runtime.errors import PipelineError

Image = NDArray[np.uint8]


def naive_boxes(frame: Image) -> list[Box]:
    rectangles, scores, _ = dlib.get_frontal_face_detector().run(frame, 1, 0.0)
    return [
        Box(face.left(), face.top(), face.right(), face.bottom(), score)
        for face, score in zip(rectangles, scores, strict=True)
    ]


@pytest.mark.parametrize("size", [(360, 288), (361, 287), (512, 512)])
def test_boxes_equal_dlibs_with_upsampling(photograph: Image, size: tuple[int, int]) -> None:
    frame = np.asarray(cv2.resize(photograph[:300, 80:440], size, interpolation=cv2.INTER_AREA), np.uint8)
    expected = naive_boxes(frame)
    assert expected
    for skip in (0, 1, 3, 4, 5):
        assert detect_faces(frame, skip) == expected


@pytest.mark.parametrize("name", ["s1/bbaf3s.mpg", "s5/lbax4n.mpg", "s31/bgiq6p.mpg"])
def test_boxes_equal_dlibs_on_real_clips(corpora: Path, name: str) -> None:
    for frame in list(read_frames(corpora / "grid" / name))[::40]:
        (box,) = naive_boxes(frame)
        assert detect_faces(frame, levels_above(0.8 * (box.right - box.left))) == [box]


def test_levels_above() -> None:
    assert [levels_above(side) for side in (0, 40, 47, 49, 80, 90, 1000)] == [0, 0, 0, 1, 3, 4, 17]


def test_several_threads(photograph: NDArray[np.uint8]) -> None:
    """A shared detector would crash the process."""
    pictures = [photograph, photograph[:, ::-1], np.ascontiguousarray(photograph[:300])]
    alone = [detect_faces(picture) for picture in pictures]
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(detect_faces, pictures * 3)) == alone * 3


def test_a_picture_too_long_for_dlib_is_rejected() -> None:
    """The longest accepted picture is searched without a crash."""
    assert detect_faces(np.zeros((64, MAX_SIDE, 3), np.uint8)) == []
    with pytest.raises(PipelineError, match=r"A picture of 16385x64 pixels is too long to search: give 16384 a side"):
        detect_faces(np.zeros((64, MAX_SIDE + 1, 3), np.uint8))
