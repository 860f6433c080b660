"""What is remembered of files, told by how often they are read."""

import hashlib
import os
import shutil
import time
from pathlib import Path

import pytest

from pipeline.runtime import hashes
from pipeline.runtime.hashes import hash_files


@pytest.fixture
def files(tmp_path: Path, corpora: Path) -> list[Path]:
    """Real clips, whose times are long past."""
    names = sorted((corpora / "grid/s1").glob("*.mpg"))[:6]
    for path in names:
        (tmp_path / path.name).symlink_to(path)
    return [tmp_path / path.name for path in names]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that are read, in any order."""
    seen: list[Path] = []

    def counting(path: Path, time_limit: float) -> str:
        seen.append(path)
        return hash_file(path, time_limit)

    hash_file = hashes.hash_file
    monkeypatch.setattr(hashes, "hash_file", counting)
    return seen


def test_hashes_are_sha256(files: list[Path], tmp_path: Path) -> None:
    (tmp_path / "gone").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    found = hash_files([*files, tmp_path / "gone", tmp_path / "pipe", tmp_path], 2, time_limit=30)
    for path in files:
        assert found[path] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert [found[path] for path in (tmp_path / "gone", tmp_path / "pipe", tmp_path)] == ["", "", ""]


def test_only_what_changed_is_read_again(files: list[Path], read: list[Path], tmp_path: Path) -> None:
    memory = tmp_path / "memory/hashes.parquet"
    first = hash_files(files, 2, memory=memory)
    assert sorted(read) == files
    read.clear()
    assert hash_files(files, 2, memory=memory) == first
    assert read == []
    files[0].unlink()
    shutil.copy2(files[1], files[0])  # with the other file's times, as cp -p would have it
    files[2].unlink()
    again = hash_files(files, 2, memory=memory)
    assert read == [files[0]]
    assert again[files[0]] == first[files[1]]
    assert again[files[2]] == ""


def test_just_changed_files_are_read_again(read: list[Path], tmp_path: Path) -> None:
    """The clock of a file system ticks slowly: a second change within a tick leaves no trace."""
    young, memory = tmp_path / "young", tmp_path / "hashes.parquet"
    for content in (b"one", b"two"):
        young.write_bytes(content)
        assert hash_files([young], 1, memory=memory)[young] == hashlib.sha256(content).hexdigest()
    assert read == [young, young]
    time.sleep(2.1)
    for _ in range(2):
        hash_files([young], 1, memory=memory)
    assert read == [young] * 3


def test_damaged_memory_is_ignored(files: list[Path], tmp_path: Path) -> None:
    memory = tmp_path / "hashes.parquet"
    first = hash_files(files, 2, memory=memory)
    memory.write_bytes(memory.read_bytes()[:50])
    assert hash_files(files, 2, memory=memory) == first
    assert hash_files([], 2, memory=memory) == {}
