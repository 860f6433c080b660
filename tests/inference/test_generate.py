"""A picture and speech to a video, with small untrained networks: length, sound, memory and errors."""

import wave
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pipeline.config.params import FaceRule
from pipeline.faces.detect import Box
from pipeline.inference.face import check_face
from pipeline.inference.generate import generate
from pipeline.inference.inputs import opened_speech, read_reference
from pipeline.inference.preprocessing.base import Reference
from pipeline.inference.preprocessing.project import ProjectPreprocessing
from pipeline.inference.talking_head import TalkingHead
from pipeline.landmarks.pca import LandmarkModel, fit_model
from pipeline.media import count_frames, probe, read_audio
from pipeline.models.atnet import AtNet
from pipeline.models.vgnet import VgNet
from pipeline.runtime.errors import PipelineError
from pipeline.speech.features import SpeechFeatures
from tests.media.encode import encode, even_times
from tests.media.sounds import write_sound

Image = NDArray[np.uint8]


@pytest.fixture(scope="module")
def landmarks() -> LandmarkModel:
    draw = np.random.default_rng(0)
    face = draw.normal(64, 20, (68, 2))
    return fit_model([face + draw.normal(0, 1, (20, 68, 2)) for _ in range(3)], 6)


@pytest.fixture(scope="module")
def head(landmarks: LandmarkModel) -> TalkingHead:
    torch.manual_seed(0)
    preprocessing = ProjectPreprocessing(landmarks, SpeechFeatures.of(0.025))
    return TalkingHead(AtNet(width=8), VgNet(width=8), preprocessing, torch.device("cpu"))


@pytest.fixture
def face(tmp_path: Path, photograph: Image) -> Path:
    path = tmp_path / "face.jpg"
    cv2.imwrite(str(path), photograph[:, :, ::-1])
    return path


def speech(path: Path, seconds: float, rate: int = 16000) -> Path:
    samples = (np.random.default_rng(0).standard_normal(round(seconds * rate)) * 3000).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return path


@pytest.mark.parametrize(("seconds", "frames"), [(0.04, 1), (1.0, 25), (1.501, 38)])
def test_exactly_as_long_as_the_speech(
    head: TalkingHead, face: Path, tmp_path: Path, seconds: float, frames: int
) -> None:
    out = tmp_path / "out.mp4"
    assert generate(head, face, speech(tmp_path / "a.wav", seconds), out) == frames
    assert count_frames(out) == frames
    info = probe(out)
    assert (info.width, info.height, info.fps) == (128, 128, 25)
    heard = read_audio(out)
    assert abs(len(heard) - round(seconds * 16000)) <= 16


def test_same_bytes_twice_and_other_sound_formats(head: TalkingHead, face: Path, tmp_path: Path) -> None:
    sound = speech(tmp_path / "a b ü.wav", 0.5, rate=44100)
    for name in ("one.mp4", "two.mp4"):
        generate(head, face, sound, tmp_path / name)
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()


def test_sound_is_heard_from_its_own_beginning(head: TalkingHead, tmp_path: Path) -> None:
    """Whenever the picture beside it begins."""
    noise = np.random.default_rng(0).integers(-9000, 9000, 48000).astype(np.int16)
    for late in (0.0, 2.0):
        path = tmp_path / "a.mkv"
        encode(path, [time + Fraction(late) for time in even_times(25, 25)], time_base=Fraction(1, 1000), audio=noise)
        with opened_speech(path, head.preprocessing) as samples:
            np.testing.assert_array_equal(samples, noise)
    path = encode(tmp_path / "late.mkv", even_times(75, 25), audio=noise, audio_start=1.0)
    with opened_speech(path, head.preprocessing) as samples:
        np.testing.assert_array_equal(samples, noise)


def test_what_is_unusual_about_the_sound_is_said_in_one_line(
    head: TalkingHead, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    noise = speech(tmp_path / "a.wav", 1.0)
    tracks = write_sound(tmp_path / "tracks.mka", np.zeros((2, 1, 48000), np.float32), "mono", default=1)
    joined = tmp_path / "joined.ts"
    sound = {"audio": np.full(44100, 5000, np.int16), "audio_codec": "mp2", "audio_rate": 44100}
    joined.write_bytes(encode(tmp_path / "a.ts", even_times(25, 25), **sound).read_bytes() * 2)  # type: ignore[arg-type]
    for path, line in (
        (noise, ""),
        (tracks, "2 sound tracks, of which number 2 is heard; silent, or nearly so"),
        (joined, "timestamps restart in the file, 1 time; the parts are joined"),
    ):
        caplog.clear()
        with opened_speech(path, head.preprocessing) as samples:
            assert len(samples) >= 16000
        assert [record.getMessage() for record in caplog.records] == ([f"{path}: {line}"] if line else [])


def test_damage_is_said(head: TalkingHead, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    content = bytearray(
        encode(tmp_path / "a.aac", [], audio=np.full(48000, 5000, np.int16), audio_codec="aac").read_bytes()
    )
    content[len(content) // 2 : len(content) // 2 + 200] = b"\xa5" * 200
    (tmp_path / "b.aac").write_bytes(content)
    with opened_speech(tmp_path / "b.aac", head.preprocessing):
        pass
    assert len(caplog.records) == 1
    assert "damaged: " in caplog.text


def test_chunks_join_without_a_seam(head: TalkingHead, landmarks: LandmarkModel, photograph: Image) -> None:
    """Recurrent states are carried on: any cut of the speech gives the same landmarks and frames."""
    reference = Reference(
        photograph[:128, 160:288], np.random.default_rng(1).normal(64, 20, (68, 2)).astype(np.float32)
    )
    heard = np.random.default_rng(2).standard_normal((20, 28, 12)).astype(np.float32)
    cuts = [[heard], [heard[:7], heard[7:8], heard[8:]]]
    moved = [np.concatenate(list(head.landmarks(reference, cut))) for cut in cuts]
    np.testing.assert_allclose(moved[0], moved[1], atol=1e-5)
    whole, pieces = (
        np.concatenate([one.frames_THWC for one in head.paint(reference, cut)])
        for cut in ([moved[0]], [moved[0][:7], moved[0][7:]])
    )
    assert np.abs(whole.astype(int) - pieces).max() <= 1


def test_reference_is_the_face_upright(head: TalkingHead, face: Path) -> None:
    reference = read_reference(face, head.preprocessing)
    assert reference.image_HWC.shape == (128, 128, 3)
    assert reference.points_68x2.min() > 4
    assert reference.points_68x2.max() < 124


def beside(photograph: Image, *places: tuple[float, float]) -> Image:
    """The photograph's face on grey, once for each place: where its middle is from the left, and how large."""
    picture = np.full((300, 560, 3), 120, np.uint8)
    for x, scale in places:
        shift = np.array([x, 150]) - scale * np.array([225.0, 115.0])
        face = np.asarray(cv2.warpAffine(photograph, np.column_stack([np.eye(2) * scale, shift]), (560, 300)), np.uint8)
        left, right = max(0, int(x - 110 * scale)), int(x + 110 * scale)
        picture[:, left:right] = face[:, left:right]
    return picture


@pytest.mark.parametrize(
    ("places", "face", "taken", "said"),
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
        ([(280, 0.45)], None, 280, ["pixels wide, and the video will be blurred. Give one of at least 80."]),
    ],
)
def test_whose_face_and_what_is_said_of_it(
    head: TalkingHead,
    photograph: Image,
    caplog: pytest.LogCaptureFixture,
    places: list[tuple[float, float]],
    face: FaceRule | None,
    taken: float,
    said: list[str],
) -> None:
    reference = read_reference(beside(photograph, *places), head.preprocessing, face or head.face)
    assert reference.choice is not None
    assert reference.choice.points_68x2[30, 0] == pytest.approx(taken, abs=15)  # the tip of the nose
    assert len(caplog.messages) == len(said)
    assert all(part in message for part, message in zip(said, caplog.messages, strict=True))


@pytest.mark.parametrize("side", ["left", "right", "top", "bottom"])
def test_a_face_at_any_edge(head: TalkingHead, photograph: Image, caplog: pytest.LogCaptureFixture, side: str) -> None:
    cut = {"left": (0, 195), "right": (0, 0), "top": (85, 60), "bottom": (0, 60)}[side]
    height, width = {"right": (300, 255), "bottom": (160, 400)}.get(side, (300, 300))
    picture = np.ascontiguousarray(photograph[cut[0] : cut[0] + height, cut[1] : cut[1] + width])
    read_reference(picture, head.preprocessing)
    (message,) = caplog.messages
    assert "reaches the edge of the picture" in message


def test_a_profile_is_refused_and_a_turned_head_named(
    photograph: Image, head: TalkingHead, caplog: pytest.LogCaptureFixture
) -> None:
    choice = read_reference(photograph, head.preprocessing).choice
    assert choice is not None
    assert not caplog.messages
    with pytest.raises(
        PipelineError, match=r"^The face in a\.jpg \(at x = 2.., y = 1..\) is turned .* a frontal one\.$"
    ):
        check_face("a.jpg", replace(choice, frontal=0.04), "prominent")
    with pytest.raises(PipelineError, match=r"another of its 3 with --face prominent, largest, central or left\.$"):
        check_face("a.jpg", replace(choice, frontal=0.0, faces=3), "right")
    check_face("a.jpg", replace(choice, frontal=0.2), "prominent", 128)
    assert caplog.messages == [
        "The face in a.jpg is turned to the side, and its mouth may move wrongly. Give a frontal one."
    ]


def test_a_larger_video_asks_for_a_larger_face(
    photograph: Image, head: TalkingHead, caplog: pytest.LogCaptureFixture
) -> None:
    choice = read_reference(photograph, head.preprocessing).choice
    assert choice is not None
    middling = replace(choice, box=Box(0, 0, 120, 120))
    check_face("a.jpg", middling, "prominent", 128)
    assert not caplog.messages
    check_face("a.jpg", middling, "prominent", 256)
    assert caplog.messages == [
        "The face in a.jpg is 120 pixels wide, and the video will be blurred. Give one of at least 160."
    ]


def test_the_bundle_keeps_the_rule(head: TalkingHead) -> None:
    assert head.face == "prominent"
    trained = TalkingHead(head.atnet, VgNet(width=8), head.preprocessing, head.device, card={"face": "left"})
    assert trained.face == "left"


def test_errors(head: TalkingHead, face: Path, tmp_path: Path) -> None:
    sound = speech(tmp_path / "a.wav", 0.2)
    grey = tmp_path / "grey.png"
    cv2.imwrite(str(grey), np.full((200, 200, 3), 127, np.uint8))
    text = tmp_path / "text.jpg"
    text.write_text("no picture")
    half = tmp_path / "half.jpg"
    half.write_bytes(face.read_bytes()[:-2000])
    out = tmp_path / "out.mp4"
    cases = [
        (grey, sound, out, r"grey\.png shows no face"),
        (text, sound, out, r"text\.jpg cannot be read as a picture"),
        (half, sound, out, r"half\.jpg is damaged or broken off: fetch it again"),
        (tmp_path / "none.jpg", sound, out, r"none\.jpg does not exist\. Give a picture of a face with -p"),
        (face, tmp_path / "none.wav", out, r"none\.wav does not exist\. Give a sound or video file with -i"),
        (face, grey, out, r"grey\.png.*sound|grey\.png.*audio"),
        (face, speech(tmp_path / "short.wav", 0.01), out, r"short\.wav holds less sound than one video frame"),
        (face, sound, tmp_path / "out.avi", r"out\.avi is not an \.mp4 file"),
        (face, sound, face / "out.mp4", r"out\.mp4.*cannot be written"),
    ]
    for picture, heard, target, message in cases:
        with pytest.raises(PipelineError, match=message):
            generate(head, picture, heard, target)
    assert not list(tmp_path.glob("*.mp4"))


def test_models_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="is missing"):
        TalkingHead.from_pretrained(tmp_path)
