"""Every file has its row, every bad one its reason, and none of them stops a stage."""

import hashlib

import pytest

from tests.bad_media.cases import CASES, UNKNOWN
from tests.bad_media.conftest import Outcome


def test_every_file_has_one_row_and_no_file_two(outcome: Outcome) -> None:
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


def test_what_extract_rejects_goes_no_further(outcome: Outcome) -> None:
    assert set(outcome.faces) == {name for name, case in CASES.items() if not case.rejected}


def test_only_what_is_no_file_has_no_hash(outcome: Outcome) -> None:
    for name, row in outcome.clips.items():
        path = outcome.root / name
        expected = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        assert row.sha256 == expected, name
    assert outcome.clips["links/link.mp4"].sha256 == outcome.clips["plain.mp4"].sha256
