"""Limits and lifetime of uploads."""

import os
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]

from pipeline.app.uploads import check_length, check_uploaded, delete_old
from pipeline.runtime.errors import PipelineError


def test_the_length_of_the_sound_is_limited(tmp_path: Path) -> None:
    path = tmp_path / "speech.flac"
    soundfile.write(path, np.zeros(2 * 16000 + 1), 16000)
    check_length(path, 2.1)
    with pytest.raises(
        PipelineError, match=r"The speech is longer than 2 seconds, which this page takes at most. Cut it."
    ):
        check_length(path, 2)


def test_files_elsewhere_are_rejected(tmp_path: Path) -> None:
    for name in ("files/a.jpg", "example.jpg", "secret.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    os.mkfifo(tmp_path / "files" / "pipe")
    (tmp_path / "files" / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    places = [tmp_path / "files", tmp_path / "example.jpg"]
    for name in ("files/a.jpg", "example.jpg"):
        check_uploaded(tmp_path / name, places)
    for name in ("secret.jpg", "files/../secret.jpg", "files/link.jpg", "files/pipe", "files", "files/none.jpg"):
        with pytest.raises(PipelineError, match=r" was not uploaded here\. Upload it\."):
            check_uploaded(tmp_path / name, places)


def test_old_files_and_their_folders_are_deleted(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "face.jpg").touch()
    (tmp_path / "broken off").touch()
    delete_old(tmp_path, 60)
    assert len(list(tmp_path.rglob("*"))) == 3
    time.sleep(0.05)
    delete_old(tmp_path, 0.01)
    delete_old(tmp_path, 0)  # the folder itself has just changed
    assert list(tmp_path.iterdir()) == []
