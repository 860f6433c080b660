"""The corpus of bad media: every file has its row, every bad one its reason, none of them stops a stage; and what comes
out of odd files is what comes out of a plain one: the right pictures and the right sound, in time.
"""

import hashlib
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.faces.crop import decode_jpeg
from tests.prepare.bad_media.cases import CASES, UNKNOWN
from tests.prepare.bad_media.film import SIZE, SPEED, START, TONE, TONE_FROM, TONE_TO
from tests.prepare.bad_media.stages import Outcome, lenient, run_stages

pytestmark = pytest.mark.slow

NOSE = 30
STILL = ("two faces.mp4",)
MOVING = [name for name, case in CASES.items() if not case.rejected and not case.faceless and name not in STILL]
HEARD = [name for name, case in CASES.items() if not case.rejected]


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """All of CASES, good and bad, in one corpus."""
    root = tmp_path_factory.mktemp("bad") / "videos"
    for name, case in CASES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        case.make(root / name)
    return run_stages(root, lenient(root))


def test_every_file_has_one_row(outcome: Outcome) -> None:
    assert sorted(outcome.clips) == sorted(CASES)


@pytest.mark.parametrize("name", CASES)
def test_verdict_of_extract(outcome: Outcome, name: str) -> None:
    case, row = CASES[name], outcome.clips[name]
    assert row.status == ("rejected" if case.rejected else "ok"), row.reason
    assert row.reason.startswith(case.rejected)
    assert str(outcome.root) not in row.reason  # the same on every machine
    assert row.frames == case.frames or (case.frames == UNKNOWN and row.frames > 0)
    assert row.duration == row.frames / 25


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if not case.rejected])
def test_verdict_of_landmarks(outcome: Outcome, name: str) -> None:
    case, row = CASES[name], outcome.faces[name]
    assert row["status"] == ("rejected" if case.faceless else "ok"), row["reason"]
    assert row["reason"].startswith(case.faceless)
    assert row["split"] == outcome.clips[name].split


def test_landmarks_skips_clips_that_extract_rejects(outcome: Outcome) -> None:
    assert set(outcome.faces) == {name for name, case in CASES.items() if not case.rejected}


def test_every_file_has_a_hash(outcome: Outcome) -> None:
    for name, row in outcome.clips.items():
        path = outcome.root / name
        expected = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        assert row.sha256 == expected, name
    assert outcome.clips["links/link.mp4"].sha256 == outcome.clips["plain.mp4"].sha256


def slack(name: str) -> float:
    """How far the picture that is shown may be from its tick, s."""
    if name.startswith("rate/"):
        return 0.045 if "variable" in name else 0.5 / float(name[5:-4])
    return 0.0


def test_the_plain_film_moves_as_it_was_drawn(outcome: Outcome) -> None:
    nose = outcome.face("plain.mp4")["points"][:, NOSE, 0]
    drawn = SPEED / 25 * np.arange(len(nose))
    away = nose - drawn
    assert np.abs(away - away.mean()).max() < 1.0


@pytest.mark.parametrize("name", MOVING)
def test_the_same_face_at_the_same_place_at_the_same_time(outcome: Outcome, name: str) -> None:
    """Turned, mirrored, squeezed, at any rate, under any name: as in the plain film."""
    plain, face = outcome.face("plain.mp4"), outcome.face(name)
    assert face["found"].all()
    frames = min(len(plain["points"]), len(face["points"]))
    assert frames >= 28
    away: NDArray[Any] = (face["points"][:frames] - plain["points"][:frames]).mean(axis=1)
    assert np.abs(away).max() <= 1.0 + SPEED * slack(name)
    assert np.abs(away.mean(axis=0)).max() <= 0.5 + SPEED * (0.02 if "variable" in name else 0)
    shown, expected = (decode_jpeg(one["jpeg"][frames // 2]).astype(int) for one in (face, plain))
    assert np.abs(shown - expected).mean() < 8


def test_of_two_faces_the_large_one_in_the_middle(outcome: Outcome) -> None:
    points = outcome.face("two faces.mp4")["points"]
    large = outcome.face("plain.mp4")["points"][0]
    assert np.abs(points - large).mean(axis=(1, 2)).max() < 1.0


def test_a_face_that_leaves_is_not_looked_for_in_the_background(outcome: Outcome) -> None:
    face = outcome.face("a face that leaves.mp4")
    found, nose = face["found"], face["points"][:, NOSE, 0]
    middle = START + 400 * np.maximum(0, np.arange(len(found)) / 25 - 0.4)  # of the face as drawn
    offset = nose[0] - middle[0]
    assert found[middle < SIZE[0] - 80].all()
    assert not found[middle > SIZE[0] + 40].any()
    (last,) = np.flatnonzero(found)[-1:]
    assert found[: last + 1].all()
    assert np.abs(nose - offset - middle)[found].max() < 12  # while half of it is outside, the rest is guessed
    stood = face["points"][last][None].repeat(29 - last, axis=0)
    np.testing.assert_allclose(face["points"][last + 1 :], stood, atol=0.01)  # stored to a 1024th of a crop pixel


def test_no_points_without_a_face(outcome: Outcome) -> None:
    face = outcome.face("no face.mp4")
    assert len(face["points"]) == len(face["jpeg"]) == 0


@pytest.mark.parametrize("name", HEARD)
def test_the_tone_is_heard_when_it_sounds(outcome: Outcome, name: str) -> None:
    samples = outcome.samples(name).astype(np.float64)
    assert len(samples) == outcome.clips[name].frames * 640
    inner = samples[round((TONE_FROM + 0.05) * 16000) : round((TONE_TO - 0.05) * 16000)]
    spectrum = np.abs(np.fft.rfft(inner * np.hanning(len(inner)), 2**17))
    assert np.argmax(spectrum) * 16000 / 2**17 == pytest.approx(TONE, abs=1)
    assert np.sqrt(np.mean(inner**2)) == pytest.approx(12000 / np.sqrt(2), rel=0.05)
    loud = np.flatnonzero(np.abs(samples) > 3000) / 16000
    assert loud[0] == pytest.approx(TONE_FROM, abs=0.005)
    assert loud[-1] == pytest.approx(TONE_TO, abs=0.005)
    quiet = np.concatenate([samples[: round((TONE_FROM - 0.1) * 16000)], samples[round((TONE_TO + 0.1) * 16000) :]])
    assert np.abs(quiet).max() < 100
